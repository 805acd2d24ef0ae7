/** Settings of a trainer that runs without a supervisor: defaults < options of `connect` < environment. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SessionIdentity } from '../checkpoint/types.ts';
import { NkatError } from '../errors.ts';
import { stateHome } from '../home.ts';
import type { SavePolicy } from '../protocol/messages.ts';
import { parseDuration, parseShare, parseSize } from '../units.ts';
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
  /** False: training waits until each save is durable. Default true. */
  readonly asyncSave?: boolean;
  /** How many of the newest checkpoints stay. Default 5. */
  readonly keep?: number;
  /** Byte budget of the session's checkpoints; null: none. */
  readonly keepBytes?: number | null;
  /** What training does while its checkpoints find no room. Default `continue`. */
  readonly onFullDisk?: 'continue' | 'pause';
  readonly best?: { readonly metric: string; readonly mode: 'min' | 'max' } | null;
  /** By how much a metric must beat the best so far. Default: as `run.bestBy` says. */
  readonly bestMinDelta?: number | null;
}

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
  const whole = 'a whole number from 1, or off';
  const everySteps = read('NKAT_SAVE_EVERY_STEPS', settings.saveEverySteps ?? null, wholeOrOff, whole);
  const everyEpochs = read('NKAT_SAVE_EVERY_EPOCHS', settings.saveEveryEpochs ?? null, wholeOrOff, whole);
  // Saves by step or by epoch take the place of `auto` unless saves by time are asked for as well.
  const byTime = everySteps === null && everyEpochs === null ? 'auto' : null;
  const policy: SavePolicy = {
    every: read(
      'NKAT_SAVE_EVERY',
      settings.saveEvery === undefined ? byTime : settings.saveEvery,
      every,
      'a duration such as 300s or 5m, auto, or off',
    ),
    everySteps,
    everyEpochs,
    overhead: read(
      'NKAT_SAVE_OVERHEAD',
      settings.saveOverhead ?? 0.005,
      (text) => positive(parseShare(text)),
      'a share such as 0.5%',
    ),
    asyncSave: read('NKAT_ASYNC_SAVE', settings.asyncSave ?? true, onOrOff, 'on or off'),
    keep: read('NKAT_KEEP', settings.keep ?? 5, (text) => wholeOrOff(text) ?? undefined, 'a whole number from 1'),
    maxBytes: read('NKAT_KEEP_BYTES', settings.keepBytes ?? null, bytesOrOff, 'a size such as 20GB or 500MiB, or off'),
    onFullDisk: read(
      'NKAT_ON_FULL_DISK',
      settings.onFullDisk ?? 'continue',
      (text) => (text === 'continue' || text === 'pause' ? text : undefined),
      'continue or pause',
    ),
    best: read(
      'NKAT_BEST',
      settings.best ?? null,
      () => bestRule(environment.NKAT_BEST ?? ''),
      'metric:max or metric:min, or off',
    ),
    bestMinDelta: read('NKAT_BEST_MIN_DELTA', settings.bestMinDelta ?? null, deltaOrOff, 'a number from 0, or off'),
  };
  return {
    kind: 'alone',
    root: resolve(environment.NKAT_DIR || settings.directory || home.checkpoints),
    backups: resolve(environment.NKAT_BACKUPS || settings.backups || home.backups),
    rootsFile: home.roots,
    home: home.directory,
    backupRootsFile: home.backupRoots,
    identity,
    policy,
    allowFresh: read('NKAT_ALLOW_FRESH', false, onOrOff, '1, true, yes or on; 0, false, no or off'),
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
  return isOff(text) ? null : positive(parseDuration(text));
}

function onOrOff(text: string): boolean | undefined {
  if (/^(1|true|yes|on)$/.test(text)) return true;
  return /^(0|false|no|off)$/.test(text) ? false : undefined;
}

function wholeOrOff(text: string): number | null | undefined {
  if (isOff(text)) return null;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) && value >= 1 ? value : undefined;
}

/** A variable means the same with a supervisor and without: see the schema of the settings. */
function isOff(text: string): boolean {
  return text === 'off' || text === 'none';
}

function positive(value: number | null): number | undefined {
  return value !== null && value > 0 ? value : undefined;
}

function deltaOrOff(text: string): number | null | undefined {
  if (isOff(text)) return null;
  const value = /^[\d.]+(e-?\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

function bytesOrOff(text: string): number | null | undefined {
  return isOff(text) ? null : positive(parseSize(text));
}

/** The metric's own case counts. */
function bestRule(text: string): SavePolicy['best'] | undefined {
  if (isOff(text.trim().toLowerCase())) return null;
  const [, metric, mode] = /^(.+):(min|max)$/.exec(text.trim()) ?? [];
  return metric === undefined ? undefined : { metric, mode: mode === 'min' ? 'min' : 'max' };
}
