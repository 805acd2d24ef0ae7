/**
 * Settings come in layers, the later over the earlier: defaults < files and profiles < what a resumed session keeps <
 * environment < flags. A layer holds texts and where each was written, so that a wrong value can be named by its own place.
 */
import { resolve } from 'node:path';
import { NkatError } from '../errors.ts';
import type { StateHome } from '../home.ts';
import { definitionOf, environmentName, PATH_KEYS, SETTINGS, type SettingKey } from './definitions.ts';
import type { FilePlace } from './file-problems.ts';
import { type SettingValues, settingSchemas } from './schema.ts';
import { DEFAULT_SETTINGS, type RunSettings } from './settings.ts';

export interface WrittenSetting {
  readonly key: SettingKey;
  readonly text: string;
  /** As the person wrote it: `--keep`, `NKAT_KEEP`, `max_keep`. */
  readonly where: string;
  /** Relative paths count from here. */
  readonly base: string;
  /** Where in a file; null: in no file. */
  readonly place: FilePlace | null;
}

export interface SettingLayer {
  /** `session`: what a session was started with before. */
  readonly name: 'file' | 'session' | 'environment' | 'flags';
  /** The profile of a file that this layer is; null: none. */
  readonly profile: string | null;
  readonly written: readonly WrittenSetting[];
}

/** The `NKAT_*` variables that name settings; an empty one is as good as unset. */
export function environmentLayer(environment: NodeJS.ProcessEnv, cwd: string): SettingLayer {
  const written: WrittenSetting[] = [];
  for (const definition of SETTINGS) {
    const where = environmentName(definition);
    const text = environment[where];
    if (text !== undefined && text !== '') written.push({ key: definition.key, text, where, base: cwd, place: null });
  }
  return { name: 'environment', profile: null, written };
}

/** Flags as the command line hands them over: a text, `true` for a switch, `undefined` where not given. */
export function flagLayer(flags: Readonly<Record<string, unknown>>, cwd: string): SettingLayer {
  const written: WrittenSetting[] = [];
  for (const { key, flag } of SETTINGS) {
    const value = flags[key];
    if (value === undefined) continue;
    written.push({ key, text: String(value), where: `--${flag}`, base: cwd, place: null });
  }
  return { name: 'flags', profile: null, written };
}

/**
 * Merges layers, lowest first, into the settings of a run.
 *
 * @throws NkatError `usage` (a flag) or `configuration` (another layer), naming setting, value and what is accepted
 */
export function resolveSettings(layers: readonly SettingLayer[], home: StateHome): RunSettings {
  const values: { -readonly [K in SettingKey]?: SettingValues[K] } = {};
  for (const layer of layers) {
    for (const setting of layer.written) assign(values, setting, layer.name);
  }
  const { save, stop, hang, backoff } = DEFAULT_SETTINGS;
  const everySteps = unlessOff(values.saveEverySteps, save.everySteps);
  const everyEpochs = unlessOff(values.saveEveryEpochs, save.everyEpochs);
  // Saves by step or by epoch take the place of `auto` unless saves by time are asked for as well.
  const every = everySteps === null && everyEpochs === null ? save.every : null;
  return {
    ...DEFAULT_SETTINGS,
    root: values.dir ?? home.checkpoints,
    backups: values.backups ?? home.backups,
    save: {
      every: unlessOff(values.saveEvery, every),
      everySteps,
      everyEpochs,
      overhead: values.saveOverhead ?? save.overhead,
    },
    asyncSave: values.asyncSave ?? DEFAULT_SETTINGS.asyncSave,
    best: unlessOff(values.best, DEFAULT_SETTINGS.best),
    onFullDisk: values.onFullDisk ?? DEFAULT_SETTINGS.onFullDisk,
    bestMinDelta: unlessOff(values.bestMinDelta, DEFAULT_SETTINGS.bestMinDelta),
    keep: values.keep ?? DEFAULT_SETTINGS.keep,
    maxBytes: unlessOff(values.keepBytes, DEFAULT_SETTINGS.maxBytes),
    maxRestarts: unlessOff(values.maxRestarts, DEFAULT_SETTINGS.maxRestarts),
    backoff: { ...backoff, initialMs: values.backoff ?? backoff.initialMs },
    noRestartCodes: values.noRestartCodes ?? DEFAULT_SETTINGS.noRestartCodes,
    stop: {
      ...stop,
      graceMs: values.grace === 'auto' ? null : (values.grace ?? stop.graceMs),
      killWaitMs: values.killWait ?? stop.killWaitMs,
    },
    hang: { trainMs: values.hangAfter ?? hang.trainMs, otherMs: values.phaseLimit ?? hang.otherMs },
    orphanLimitMs: unlessOff(values.orphanLimit, DEFAULT_SETTINGS.orphanLimitMs),
    powerSettleMs: unlessOff(values.powerSettle, DEFAULT_SETTINGS.powerSettleMs) ?? 0,
    ups: unlessOff(values.ups, DEFAULT_SETTINGS.ups),
    requireGpu: values.requireGpu ?? DEFAULT_SETTINGS.requireGpu,
    gpuProfile: unlessOff(values.gpuProfile, DEFAULT_SETTINGS.gpuProfile),
    waitForGpu: values.waitForGpu ?? DEFAULT_SETTINGS.waitForGpu,
    deterministic: values.deterministic ?? DEFAULT_SETTINGS.deterministic,
    allowFresh: values.allowFresh ?? DEFAULT_SETTINGS.allowFresh,
  };
}

/** True where some layer names the setting: a default may give way to what a session already has. */
export function isWritten(layers: readonly SettingLayer[], key: SettingKey): boolean {
  return layers.some((layer) => layer.written.some((setting) => setting.key === key));
}

function assign(values: Record<string, unknown>, setting: WrittenSetting, layer: SettingLayer['name']): void {
  const parsed = settingSchemas[setting.key].safeParse(setting.text);
  if (!parsed.success) {
    const { accepts } = definitionOf(setting.key);
    throw new NkatError(`${setting.where} is ${JSON.stringify(setting.text)}; accepted is ${accepts}`, {
      code: layer === 'flags' ? 'usage' : 'configuration',
      operation: 'read the settings',
      // Of a flag the command itself knows best.
      ...(layer !== 'flags' && { hint: hintOf(setting, layer) }),
    });
  }
  values[setting.key] = PATH_KEYS.includes(setting.key) ? resolve(setting.base, String(parsed.data)) : parsed.data;
}

function hintOf({ key, where }: WrittenSetting, layer: SettingLayer['name']): string {
  return layer === 'session' ? `Give --${definitionOf(key).flag} anew.` : `Correct or unset ${where}.`;
}

function unlessOff<T>(value: T | 'off' | undefined, fallback: T | null): T | null {
  if (value === 'off') return null;
  return value ?? fallback;
}
