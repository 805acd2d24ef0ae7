/** Each setting as a run would use it, with the place that it comes from and what that place overrides. */
import type { StateHome } from '../home.ts';
import { formatDuration, formatShare, formatSize } from '../units.ts';
import { formatUps } from '../ups-address.ts';
import { SETTING_KEYS, type SettingKey } from './definitions.ts';
import type { FilePlace } from './file-problems.ts';
import { resolveSettings, type SettingLayer } from './layers.ts';
import type { RunSettings } from './settings.ts';

export type EffectiveValue = string | number | boolean | readonly number[] | null;

export interface SettingOrigin {
  readonly layer: 'default' | SettingLayer['name'];
  /** As the person wrote it: `--keep`, `NKAT_KEEP`, `max_keep`; null: a default. */
  readonly where: string | null;
  readonly place: FilePlace | null;
  readonly profile: string | null;
  /** As it was written; of a default as it would be. */
  readonly text: string;
}

export interface EffectiveSetting {
  readonly key: SettingKey;
  /** Durations in ms, sizes in bytes, shares from 0 to 1, null for off. */
  readonly value: EffectiveValue;
  /** The value as a flag would have it. */
  readonly text: string;
  readonly origin: SettingOrigin;
  /** What would count without the origin, nearest first. */
  readonly overridden: readonly SettingOrigin[];
}

/**
 * Where each setting stands in `RunSettings`, and how it is written. Values are read from what a run gets, so that
 * nothing here can differ from it.
 */
const READERS: Readonly<
  Record<SettingKey, { value: (s: RunSettings) => EffectiveValue; unit?: keyof typeof FORMATS }>
> = {
  dir: { value: (s) => s.root },
  backups: { value: (s) => s.backups },
  saveEvery: { value: (s) => s.save.every, unit: 'duration' },
  saveEverySteps: { value: (s) => s.save.everySteps },
  saveEveryEpochs: { value: (s) => s.save.everyEpochs },
  saveOverhead: { value: (s) => s.save.overhead, unit: 'share' },
  asyncSave: { value: (s) => s.asyncSave },
  keep: { value: (s) => s.keep },
  keepBytes: { value: (s) => s.maxBytes, unit: 'size' },
  best: { value: ({ best }) => (best === null ? null : `${best.metric}:${best.mode}`) },
  onFullDisk: { value: (s) => s.onFullDisk },
  bestMinDelta: { value: (s) => s.bestMinDelta },
  maxRestarts: { value: (s) => s.maxRestarts },
  backoff: { value: (s) => s.backoff.initialMs, unit: 'duration' },
  noRestartCodes: { value: (s) => s.noRestartCodes },
  grace: { value: (s) => s.stop.graceMs ?? 'auto', unit: 'duration' },
  hangAfter: { value: (s) => s.hang.trainMs, unit: 'duration' },
  phaseLimit: { value: (s) => s.hang.otherMs, unit: 'duration' },
  orphanLimit: { value: (s) => s.orphanLimitMs ?? 'off', unit: 'duration' },
  powerSettle: { value: (s) => s.powerSettleMs || null, unit: 'duration' },
  ups: { value: ({ ups }) => (ups === null ? null : formatUps(ups)) },
  killWait: { value: (s) => s.stop.killWaitMs, unit: 'duration' },
  requireGpu: { value: (s) => s.requireGpu },
  gpuProfile: { value: (s) => s.gpuProfile },
  waitForGpu: { value: (s) => s.waitForGpu },
  deterministic: { value: (s) => s.deterministic },
  allowFresh: { value: (s) => s.allowFresh },
};

const FORMATS = { duration: formatDuration, share: formatShare, size: formatSize };

/** @throws what `resolveSettings` throws */
export function effectiveSettings(layers: readonly SettingLayer[], home: StateHome): EffectiveSetting[] {
  const settings = resolveSettings(layers, home);
  const defaults = resolveSettings([], home);
  return SETTING_KEYS.map((key) => {
    const inherited: SettingOrigin = {
      layer: 'default',
      where: null,
      place: null,
      profile: null,
      text: valueText(key, defaults),
    };
    const written = layers.flatMap((layer) => originsIn(layer, key)).reverse();
    const [origin = inherited, ...overridden] = [...written, inherited];
    return { key, value: READERS[key].value(settings), text: valueText(key, settings), origin, overridden };
  });
}

function originsIn({ name, profile, written }: SettingLayer, wanted: SettingKey): SettingOrigin[] {
  return written
    .filter(({ key }) => key === wanted)
    .map(({ where, place, text }) => ({ layer: name, where, place, profile, text }));
}

function valueText(key: SettingKey, settings: RunSettings): string {
  const { value: read, unit } = READERS[key];
  const value = read(settings);
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'off';
  if (typeof value === 'number' && unit !== undefined) return FORMATS[unit](value);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}
