/** Tells how far the reading of a checkpoint is, by the clock: also while a disk that hangs gives nothing. */
import type { OnReading } from '../checkpoint/choose.ts';
import type { SessionContext } from './session-context.ts';

/** A second between two words; what takes less is not worth one. */
const EVERY_MS = 1_000;

/** @param everyMs another interval, in tests */
export async function whileReading<T>(
  { tell, nowMs }: Pick<SessionContext, 'tell' | 'nowMs'>,
  work: (onReading: OnReading) => Promise<T>,
  everyMs = EVERY_MS,
): Promise<T> {
  const startedMs = nowMs();
  let newest: Parameters<OnReading>[0] | null = null;
  const timer = setInterval(() => {
    if (newest !== null) tell({ name: 'checkpoint-verifying', ...newest, elapsedMs: nowMs() - startedMs });
  }, everyMs);
  try {
    return await work((reading) => {
      newest = reading;
    });
  } finally {
    clearInterval(timer);
  }
}
