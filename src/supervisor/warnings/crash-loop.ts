/** A trainer that dies after each launch and comes further only by its emergency saves. Pure. */
import { CRASH_LOOP } from '../machine/restart-policy.ts';
import { clear, KEEP, raise, type Verdict } from './condition.ts';
import type { SaveWatchFacts } from './save-facts.ts';

export function judgeCrashLoop({ crashSaves }: Pick<SaveWatchFacts, 'crashSaves'>): Verdict {
  if (crashSaves === 0) return clear('The trainer lives long enough for regular checkpoints again');
  if (crashSaves < CRASH_LOOP) return KEEP;
  return raise(
    `The trainer died ${crashSaves} times in a row before any regular checkpoint: it comes further only by the emergency save of each crash, and each restart waits longer`,
    'Look at its errors with nkat-recover logs --level error; save more often with --save-every or --save-every-steps; --max-restarts ends this.',
  );
}
