/** Ends everything that a launch of the worker has left: its group, and what left the group but carries its session. */
import { BoundedWait } from './bounded-wait.ts';
import { endOrphansWithin, findOrphans } from './orphans.ts';
import { emptyGroup, type OwnedGroup, ownedMembers } from './process-group.ts';
import { survivorWords } from './survivors.ts';

export type WorkerEnding =
  /** `strays`: how many had left the group and were ended too. */
  | { readonly status: 'gone'; readonly strays: number }
  /** Somebody outlives SIGKILL; who, and what it waits for, in words. */
  | { readonly status: 'unkillable'; readonly survivors: readonly string[] };

export interface EndWorkerOptions {
  readonly limitMs: number;
  /** After this long the operator is told what is waited for. */
  readonly slowAfterMs?: number;
  /** Called once, with who still lives and how long we go on waiting. */
  readonly onSlow?: (survivors: readonly string[], leftMs: number) => void;
}

const SLOW_AFTER_MS = 3_000;
/** More would not be read. */
const MOST_SURVIVORS = 5;

/** Bounded as a whole; never touches a process that is not provably of this launch. */
export async function endWorker(group: OwnedGroup, options: EndWorkerOptions): Promise<WorkerEnding> {
  const wait = new BoundedWait(options.limitMs);
  const slowAfterMs = options.slowAfterMs ?? SLOW_AFTER_MS;
  let told = false;
  const onWait = (): void => {
    if (told || wait.waitedMs < slowAfterMs) return;
    told = true;
    options.onSlow?.(survivorsOf(group), Math.max(0, options.limitMs - wait.waitedMs));
  };
  const strays = () => findOrphans(group.session, group.leader.startTime);
  const empty = await emptyGroup(group, wait, onWait);
  // Also beside a group that cannot be emptied: they would train on, or load data for nobody.
  const { ended, unkillable } = await endOrphansWithin(strays, wait, onWait);
  if (!empty || unkillable.length > 0) return { status: 'unkillable', survivors: survivorsOf(group) };
  return { status: 'gone', strays: ended };
}

function survivorsOf(group: OwnedGroup): string[] {
  const pids = new Set([
    ...ownedMembers(group).map(({ pid }) => pid),
    ...findOrphans(group.session, group.leader.startTime).map(({ identity }) => identity.pid),
  ]);
  return [...pids].slice(0, MOST_SURVIVORS).map(survivorWords);
}
