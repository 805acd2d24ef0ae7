/** The process group of a worker: who is in it, and how it is ended. Never touches a group that is not provably ours. */
import { currentBootId, isSameBoot } from '../checkpoint/boot-identity.ts';
import type { ProcessIdentity } from '../checkpoint/types.ts';
import { errnoOf } from '../errors.ts';
import type { BoundedWait } from './bounded-wait.ts';
import { isLiving, type ProcessRow, processRow, processTable, wasLaunchedIn } from './process-table.ts';

/** A worker's group: its recorded leader, and the session that its members carry in their environment. */
export interface OwnedGroup {
  readonly leader: ProcessIdentity;
  readonly session: string;
}

/** Living members of a process group; zombies are none. */
export function groupMembers(pgid: number): ProcessRow[] {
  return processTable().filter((row) => row.group === pgid && isLiving(row));
}

/**
 * Living members of the group if it is ours, else none.
 *
 * The kernel gives a number to no new process while a group of that number has members. So: the recorded leader is
 * there with its start time, then the group is ours; another process has the number, then ours is gone; nobody has
 * it, then the group may be a later stranger's, and it is ours only if a member carries our session.
 */
export function ownedMembers({ leader, session }: OwnedGroup): ProcessRow[] {
  if (leader.bootId !== null && !isSameBoot(leader.bootId, currentBootId())) return [];
  const present = processRow(leader.pid);
  if (present !== null && present.startTime !== leader.startTime) return [];
  const members = groupMembers(leader.pid);
  if (present !== null && present.group === leader.pid) return members;
  return members.some((row) => wasLaunchedIn(row.pid, session)) ? members : [];
}

/**
 * Lets members of the group go on that were stopped (SIGSTOP): nothing else would reach them. One that a debugger holds is
 * left to it. Returns whether there was one.
 */
export function wakeStopped(group: OwnedGroup): boolean {
  return ownedMembers(group).some(({ state }) => state === 'T') && signalGroup(group, 'SIGCONT') === 'sent';
}

/** Sends a signal to every member of the group. `gone`: nothing of ours is left to receive it. */
export function signalGroup(group: OwnedGroup, signal: NodeJS.Signals): 'sent' | 'gone' {
  if (ownedMembers(group).length === 0) return 'gone';
  try {
    process.kill(-group.leader.pid, signal);
    return 'sent';
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return 'gone';
    // EPERM: a member runs as another user. It was not reached; the bounded wait after SIGKILL tells.
    if (errnoOf(error) === 'EPERM') return 'sent';
    throw error;
  }
}

/**
 * Kills the group until no member lives; false when the bound ran out before.
 *
 * @param wait a bound, which other waits may share: a member in uninterruptible sleep outlives SIGKILL for as long as it likes
 * @param onWait called before each wait
 */
export async function emptyGroup(
  group: OwnedGroup,
  wait: BoundedWait,
  onWait: () => void = () => undefined,
): Promise<boolean> {
  // Sent again each time: a member that was being forked meanwhile must not slip through.
  while (signalGroup(group, 'SIGKILL') === 'sent') {
    if (wait.isOver) return false;
    onWait();
    await wait.poll();
  }
  return true;
}
