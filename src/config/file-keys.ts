/**
 * What the keys of a configuration file may be called: the setting's own key, the same words with `-` or `_`, and the
 * names that recovery manuals use. Groups are how those manuals lay a file out; each setting may stand in its group or
 * at the top.
 */
import { SETTING_KEYS, type SettingKey } from './definitions.ts';

/** Names of recovery manuals. `async_save` needs no line: it is `asyncSave` with `_`. */
export const MANUAL_NAMES: Readonly<Partial<Record<SettingKey, readonly string[]>>> = {
  dir: ['checkpoint_dir'],
  backups: ['backup_dir'],
  saveEvery: ['interval'],
  saveEverySteps: ['interval_steps'],
  saveEveryEpochs: ['interval_epochs'],
  keep: ['max_keep'],
};

const RESTART_KEYS: readonly string[] = ['maxRestarts', 'backoff', 'noRestartCodes'];
const GPU_KEYS: readonly string[] = ['gpuProfile', 'waitForGpu', 'requireGpu'];
/** Settings of the run as a whole stand at the top only; everything else is about checkpoints. */
const RUN_KEYS: readonly string[] = [
  'grace',
  'hangAfter',
  'phaseLimit',
  'killWait',
  'deterministic',
  'allowFresh',
  'orphanLimit',
  'powerSettle',
  'ups',
];

export const GROUPS = {
  checkpoint: SETTING_KEYS.filter((key) => ![...RESTART_KEYS, ...RUN_KEYS, ...GPU_KEYS].includes(key)),
  restart: SETTING_KEYS.filter((key) => RESTART_KEYS.includes(key)),
  gpu: SETTING_KEYS.filter((key) => GPU_KEYS.includes(key)),
} as const satisfies Readonly<Record<string, readonly SettingKey[]>>;
export type Group = keyof typeof GROUPS;
export const GROUP_NAMES = Object.keys(GROUPS) as readonly Group[];

/** Names that mean something inside of a group only: at the top `profile` would look like one of the file's own. */
export const NAMES_IN_GROUP: Readonly<Partial<Record<Group, ReadonlyMap<string, SettingKey>>>> = {
  gpu: new Map([['profile', 'gpuProfile']]),
};

/** Every accepted spelling, each with the setting that it means. */
export function settingNames(): ReadonlyMap<string, SettingKey> {
  const names = new Map<string, SettingKey>();
  for (const key of SETTING_KEYS) {
    const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    for (const name of [key, snake, ...(MANUAL_NAMES[key] ?? [])]) {
      for (const spelling of [name, name.replaceAll('_', '-'), camel(name)]) names.set(spelling, key);
    }
  }
  return names;
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
