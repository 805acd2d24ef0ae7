/** A trainer that has been started and says nothing. It may be loading for an hour, so it is told and nothing is done. Pure. */
import { aboutDuration } from '../../units.ts';
import { clear, KEEP, raise, type Verdict } from './condition.ts';
import type { SaveWatchFacts } from './save-facts.ts';

/** Importing a framework takes seconds; a minute is worth a word. */
const PATIENCE_MS = 60_000;

export interface AwaitedTrainer {
  /** Silence that may be a hang outside of training; a shorter one than a minute is the patience here too. */
  readonly phaseLimitMs: number;
  /** A command of any language; false: a script that our Node runs. */
  readonly isCommand: boolean;
}

export function judgeNotConnected(
  { awaitedSinceMs, workerPid }: Pick<SaveWatchFacts, 'awaitedSinceMs' | 'workerPid'>,
  { phaseLimitMs, isCommand }: AwaitedTrainer,
  nowMs: number,
): Verdict {
  if (workerPid !== null) return clear('The trainer has called connect()');
  if (awaitedSinceMs === null) return KEEP;
  const silentMs = nowMs - awaitedSinceMs;
  if (silentMs < Math.min(PATIENCE_MS, phaseLimitMs)) return KEEP;
  const silence = aboutDuration(silentMs);
  if (isCommand) {
    return raise(
      `The command has not connected for ${silence}: is it loading, or does it not use the SDK? It is left alone`,
      'Without the SDK it is started again after a crash, but nothing of it is saved here; with it, call connect() first.',
    );
  }
  return raise(
    `The trainer has not called connect() for ${silence}: is it loading data or compiling? It is left alone, and nothing is saved until then`,
    'Its output is in nkat-recover logs. Call connect() first and load after it, with run.phase("load"): then its progress shows, and a hang is found. Ctrl-C ends it.',
  );
}
