/** Settings of a trainer that runs without a supervisor: defaults < options of `connect` < environment. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SessionIdentity } from '../checkpoint/types.ts';
import { NkatError } from '../errors.ts';
import { stateHome } from '../home.ts';
import type { SavePolicy } from '../protocol/messages.ts';
import type { ThreadMode } from './thread/messages.ts';

/** What `connect` may be told for a run without a supervisor; under one, its settings count. */
export interface AloneSettings {
  /** Root of checkpoint directories. Default: `checkpoints/` in the state home. */
  readonly directory?: string;
  /** Root of best-model backups. */
  readonly backups?: string;
  /** `auto` (default), milliseconds, or null: not by time. */
  readonly saveEvery?: 'auto' | number | null;
  readonly saveEverySteps?: number | null;
  readonly saveEveryEpochs?: number | null;
  /** Share of training time that `auto` may take. Default 0.005. */
  readonly saveOverhead?: number;
  /** How many of the newest checkpoints stay. Default 5. */
  readonly keep?: number;
  /** Byte budget of the session's checkpoints; null: none. */
  readonly keepBytes?: number | null;
  readonly best?: { readonly metric: string; readonly mode: 'min' | 'max' } | null;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** @throws NkatError `configuration` naming the variable that means nothing */
export function aloneMode(
  environment: NodeJS.ProcessEnv,
  settings: AloneSettings,
  identity: SessionIdentity,
): Extract<ThreadMode, { kind: 'alone' }> {
  const home = stateHome(environment);
  const read = <T>(name: string, fallback: T, parse: (text: string) => T | undefined, accepts: string): T => {
    const text = environment[name];
    if (text === undefined || text.trim() === '') return fallback;
    const value = parse(text.trim().toLowerCase());
    if (value !== undefined) return value;
    throw new NkatError(`${name} is '${text}'; accepted is ${accepts}`, {
      code: 'configuration',
      operation: 'read the environment',
    });
  };
  const policy: SavePolicy = {
    every: read(
      'NKAT_SAVE_EVERY',
      settings.saveEvery ?? (settings.saveEvery === null ? null : 'auto'),
      every,
      'a duration such as 300s or 5m, auto, or off',
    ),
    everySteps: read(
      'NKAT_SAVE_EVERY_STEPS',
      settings.saveEverySteps ?? null,
      wholeOrOff,
      'a whole number from 1, or off',
    ),
    everyEpochs: read(
      'NKAT_SAVE_EVERY_EPOCHS',
      settings.saveEveryEpochs ?? null,
      wholeOrOff,
      'a whole number from 1, or off',
    ),
    overhead: read('NKAT_SAVE_OVERHEAD', settings.saveOverhead ?? 0.005, share, 'a share such as 0.5%'),
    keep: read('NKAT_KEEP', settings.keep ?? 5, (text) => wholeOrOff(text) ?? undefined, 'a whole number from 1'),
    maxBytes: read('NKAT_KEEP_BYTES', settings.keepBytes ?? null, bytesOrOff, 'a size such as 20GB or 500MiB, or off'),
    best: read(
      'NKAT_BEST',
      settings.best ?? null,
      () => bestRule(environment.NKAT_BEST ?? ''),
      'metric:max or metric:min, or off',
    ),
  };
  return {
    kind: 'alone',
    root: resolve(environment.NKAT_DIR || settings.directory || home.checkpoints),
    backups: resolve(environment.NKAT_BACKUPS || settings.backups || home.backups),
    rootsFile: home.roots,
    identity,
    policy,
    allowFresh: /^(1|true|yes|on)$/i.test(environment.NKAT_ALLOW_FRESH ?? ''),
  };
}

/** The same line run again is the same session. @param argv as `process.argv` */
export function ownIdentity(argv: readonly string[], cwd: string): SessionIdentity {
  const script = argv[1];
  return {
    cwd: realpathSync(cwd),
    // Code given on the command line has no path of its own.
    trainer: script === undefined ? resolve(cwd, '[eval]') : realpathSync(script),
    args: argv.slice(2),
    name: null,
  };
}

function every(text: string): 'auto' | number | null | undefined {
  if (text === 'auto') return 'auto';
  return text === 'off' ? null : duration(text);
}

/** `300s`, `5m`, `1h30m`; a bare number is seconds. */
function duration(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  if (!/^(\d+(\.\d+)?(ms|min|[smhd]))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|min|[smhd])/g)];
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN), 0);
}

function wholeOrOff(text: string): number | null | undefined {
  if (text === 'off') return null;
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 1 ? value : undefined;
}

function bytesOrOff(text: string): number | null | undefined {
  if (text === 'off') return null;
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/.exec(text) ?? [];
  const size = UNIT_BYTES[unit ?? ''];
  return amount === undefined || size === undefined ? undefined : Math.round(Number(amount) * size);
}

function share(text: string): number | undefined {
  const [, percent] = /^(\d+(?:\.\d+)?) ?%$/.exec(text) ?? [];
  return percent === undefined || Number(percent) > 100 ? undefined : Number(percent) / 100;
}

/** The metric's own case counts. */
function bestRule(text: string): SavePolicy['best'] | undefined {
  if (text.trim().toLowerCase() === 'off') return null;
  const [, metric, mode] = /^(.+):(min|max)$/.exec(text.trim()) ?? [];
  return metric === undefined ? undefined : { metric, mode: mode === 'min' ? 'min' : 'max' };
}
