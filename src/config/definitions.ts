/**
 * The settings that a person may name: key, flag, environment variable, and what each accepts. Plain data without
 * a schema library, so that `--help` can be rendered from it at no cost; `schema.ts` gives each key its meaning.
 */

export interface SettingDefinition {
  readonly key: SettingKey;
  /** Long flag without its dashes; `NKAT_` and the same words in capitals are its environment variable. */
  readonly flag: string;
  /** What stands for the value in `--help`; null: a switch. */
  readonly placeholder: string | null;
  readonly description: string;
  /** Completes "accepted is ...". */
  readonly accepts: string;
}

export const SETTING_KEYS = [
  'dir',
  'backups',
  'saveEvery',
  'saveEverySteps',
  'saveEveryEpochs',
  'saveOverhead',
  'asyncSave',
  'keep',
  'keepBytes',
  'best',
  'bestMinDelta',
  'onFullDisk',
  'maxRestarts',
  'backoff',
  'noRestartCodes',
  'grace',
  'hangAfter',
  'phaseLimit',
  'orphanLimit',
  'powerSettle',
  'ups',
  'killWait',
  'requireGpu',
  'gpuProfile',
  'waitForGpu',
  'deterministic',
  'allowFresh',
] as const;
export type SettingKey = (typeof SETTING_KEYS)[number];

/** Settings that are folders: relative ones count from where they were written. */
export const PATH_KEYS: readonly SettingKey[] = ['dir', 'backups'];

const DURATION = 'a duration such as 300s, 5m or 1h30m';
const SWITCH = '1, true, yes or on; 0, false, no or off';

export const SETTINGS: readonly SettingDefinition[] = [
  setting('dir', '<folder>', 'where checkpoints go (default: checkpoints/ in the state home)', 'a folder'),
  setting('backups', '<folder>', 'where copies of the best models go, best on another disk', 'a folder'),
  setting('saveEvery', '<time>', 'save by time: 300s, 5m, auto or off (default: auto)', `${DURATION}, auto, or off`),
  setting('saveEverySteps', '<n>', 'save every n steps', 'a whole number from 1, or off'),
  setting('saveEveryEpochs', '<n>', 'save every n epochs', 'a whole number from 1, or off'),
  setting(
    'saveOverhead',
    '<share>',
    'share of training time that auto may take (default: 0.5%)',
    'a share such as 0.5%',
  ),
  setting('asyncSave', '<on|off>', 'off: training waits until each save is durable (default: on)', 'on or off'),
  setting('keep', '<n>', 'how many of the newest checkpoints to keep (default: 5)', 'a whole number from 1'),
  setting('keepBytes', '<size>', 'byte budget of a session: 20GB, 500MiB', 'a size such as 20GB or 500MiB, or off'),
  setting('best', '<metric:rule>', 'what the best model is, such as accuracy:max', 'metric:max or metric:min, or off'),
  setting(
    'bestMinDelta',
    '<n>',
    'by how much a new best must beat the last (default: as the trainer says)',
    'a number from 0, or off',
  ),
  setting(
    'onFullDisk',
    '<what>',
    'while checkpoints find no room: continue without saves, or pause (default: continue)',
    'continue or pause',
  ),
  setting(
    'maxRestarts',
    '<n>',
    'cap on all restarts (default: none while there is progress)',
    'a whole number, or off',
  ),
  setting('backoff', '<time>', 'first pause between restarts without progress, doubling (default: 5s)', DURATION),
  setting(
    'noRestartCodes',
    '<codes>',
    'exit codes of the trainer that end the session',
    'exit codes from 1 to 255 such as 2,3, or off',
  ),
  setting('grace', '<time>', 'time for the emergency save after Ctrl-C (default: 60s or more)', `${DURATION}, or auto`),
  setting('hangAfter', '<time>', 'least silence of the training loop that is a hang (default: 60s)', DURATION),
  setting(
    'phaseLimit',
    '<time>',
    'silence that is a hang before the second step, and in load, compile, eval and save (default: 10m)',
    DURATION,
  ),
  setting(
    'orphanLimit',
    '<time>',
    'end a worker that has had no supervisor for that long (default: off)',
    `${DURATION}, or off`,
  ),
  setting(
    'powerSettle',
    '<time>',
    'how long the power has to hold before a session that was cut again soon after a recovery goes on (default: 60s)',
    `${DURATION}, or off`,
  ),
  setting(
    'ups',
    '<ups>',
    'watch this UPS through NUT, such as myups@localhost (default: none)',
    'name@host or name@host:port, or off',
  ),
  setting('killWait', '<time>', 'longest wait for a worker that does not end on SIGKILL (default: 30s)', DURATION),
  setting('requireGpu', null, 'refuse to train without a GPU', SWITCH),
  setting(
    'gpuProfile',
    '<card>',
    'limits of temperature, power and memory for this kind of card in place of its own: rtx3080 (default: none)',
    'rtx3080, or off',
  ),
  setting('waitForGpu', null, 'after a lost GPU wait until it is healthy again and go on, instead of ending', SWITCH),
  setting('deterministic', null, 'same bits from run to run on the native backend, at some cost in speed', SWITCH),
  setting('allowFresh', null, 'start from zero although every checkpoint is lost', SWITCH),
];

export function definitionOf(key: SettingKey): SettingDefinition {
  const found = SETTINGS.find((definition) => definition.key === key);
  if (found === undefined) throw new RangeError(`no setting is called ${key}`);
  return found;
}

/** `NKAT_SAVE_EVERY` of `save-every`. */
export function environmentName(definition: SettingDefinition): string {
  return `NKAT_${definition.flag.replaceAll('-', '_').toUpperCase()}`;
}

function setting(key: SettingKey, placeholder: string | null, description: string, accepts: string): SettingDefinition {
  const flag = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { key, flag, placeholder, description, accepts };
}
