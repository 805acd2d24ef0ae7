/**
 * In which order interrupted sessions come back. Pure: one starts when the one before it has come to train, so that
 * their loading does not crowd the machine, and never more at once than are allowed. A worker that trains on alone costs
 * the machine no more when it gets a supervisor: it waits for nobody, and counts as one of those that train.
 */

/** `waiting`: for its turn. `blocked`: something that it needs is not there yet. `starting`: launched, not yet training. */
export type RecoveryStage = 'waiting' | 'blocked' | 'starting' | 'training' | 'over';

export interface QueuedSession {
  readonly session: string;
  readonly stage: RecoveryStage;
  /** Monotonic time of the start, in ms; null: not started yet. */
  readonly startedMs: number | null;
  /** Its worker has been training all the while, with nobody who would bring it back after a crash. */
  readonly trains: boolean;
}

export interface RecoveryLimits {
  /** Sessions that may train at once; null: all of them, as they did before. */
  readonly parallel: number | null;
}

/** A session that takes longer than this to begin holds the others up no longer. */
export const START_LIMIT_MS = 5 * 60_000;

/** Which session is to be started now; null: none. */
export function nextToStart(
  queue: readonly QueuedSession[],
  { parallel }: RecoveryLimits,
  nowMs: number,
): string | null {
  const alone = queue.find(({ stage, trains }) => stage === 'waiting' && trains);
  if (alone !== undefined) return alone.session;
  const live = queue.filter(({ stage }) => stage === 'starting' || stage === 'training');
  if (parallel !== null && live.length >= parallel) return null;
  const begins = live.some(
    ({ stage, startedMs }) => stage === 'starting' && startedMs !== null && nowMs - startedMs < START_LIMIT_MS,
  );
  if (begins) return null;
  return queue.find(({ stage }) => stage === 'waiting')?.session ?? null;
}

/** True while a session is still to be started: until then no other recovery may begin. */
export function isPending(queue: readonly QueuedSession[]): boolean {
  return queue.some(({ stage }) => stage === 'waiting' || stage === 'blocked' || stage === 'starting');
}

export function withStage(
  queue: readonly QueuedSession[],
  session: string,
  stage: RecoveryStage,
  nowMs: number,
): readonly QueuedSession[] {
  return queue.map((queued) => {
    if (queued.session !== session || queued.stage === 'over') return queued;
    // Started once, whatever comes back of it later has to wait like the others.
    if (stage === 'starting') return { ...queued, stage, startedMs: nowMs, trains: false };
    return { ...queued, stage };
  });
}
