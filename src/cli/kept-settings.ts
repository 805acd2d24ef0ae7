/** Settings that a session goes on with when it is resumed by hand, where nobody types them a second time. */
import type { SessionLaunch } from '../checkpoint/types.ts';
import { definitionOf, environmentName, type SettingKey } from '../config/definitions.ts';
import type { SettingLayer } from '../config/layers.ts';
import { type Line, line } from './render/line.ts';

/** What belongs to the machine that the session trains on, not to one start of it. */
const KEPT: readonly SettingKey[] = ['gpuProfile'];

/** Over the configuration file, as at the start; whatever this start says by variable or flag goes over it. */
export function keptLayer(launch: SessionLaunch | undefined): SettingLayer {
  const written = KEPT.flatMap((key) => {
    const definition = definitionOf(key);
    const text = launch?.environment[environmentName(definition)];
    if (text === undefined || text === '') return [];
    return [{ key, text, where: `--${definition.flag} of the session`, base: '/', place: null }];
  });
  return { name: 'session', profile: null, written };
}

/** One line for each that counts, and how to be rid of it. */
export function keptWords(layers: readonly SettingLayer[]): Line[] {
  const at = layers.findIndex(({ name }) => name === 'session');
  const later = new Set(layers.slice(at + 1).flatMap(({ written }) => written.map(({ key }) => key)));
  return (layers[at]?.written ?? []).flatMap(({ key, text }) => {
    if (later.has(key) || /^off$/i.test(text)) return [];
    const { flag } = definitionOf(key);
    return [line(`--${flag} ${text} as before; --${flag} off leaves it out.`)];
  });
}
