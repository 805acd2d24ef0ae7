/** What a session is right now, as opposed to what was last recorded: its processes may have died unseen. */

import { currentOwner, isAlive, type Relation, relationOf } from '../checkpoint/process-identity.ts';
import type { Owner, ProcessIdentity, WorkerIdentity } from '../checkpoint/types.ts';
import type { SessionState } from '../words.ts';
import { isOpenState } from '../words.ts';

export interface Recorded {
  readonly state: SessionState;
  /** Newest claim on the session; null: none was found. */
  readonly owner: Owner | null;
  /** Its newest worker. */
  readonly worker: Pick<WorkerIdentity, 'group' | 'machineId'> | null;
}

export interface Present {
  readonly state: SessionState;
  /** Pid of who owns it, where that one lives. */
  readonly ownerPid: number | null;
  readonly workerAlive: boolean;
}

/** What can be seen of the processes of this machine. */
export interface Watch {
  readonly self: Pick<Owner, 'bootId' | 'pidNamespace' | 'machineId' | 'host'>;
  readonly alive: (identity: ProcessIdentity) => boolean;
}

export function ownWatch(): Watch {
  return { self: currentOwner('supervisor'), alive: isAlive };
}

/** Pure but for `watch`: the state that `list` shows. */
export function presentState({ state, owner, worker }: Recorded, watch: Watch): Present {
  const workerAlive = worker !== null && watch.alive(worker.group);
  const relation = owner === null ? null : relationOf(owner, watch.self);
  if (owner !== null && relation === 'here' && watch.alive(owner)) {
    return { state: 'running', ownerPid: owner.pid, workerAlive };
  }
  if (!isOpenState(state)) return { state, ownerPid: null, workerAlive };
  // Another machine's processes cannot be seen from here: what was recorded last is all there is.
  if (relation === 'elsewhere') return { state, ownerPid: null, workerAlive };
  if (workerAlive) return { state: 'orphaned', ownerPid: null, workerAlive };
  const ran = worker === null ? null : relationOfWorker(worker, watch);
  if (relation === null && ran === 'elsewhere') return { state, ownerPid: null, workerAlive };
  return { state: relation === 'rebooted' || ran === 'rebooted' ? 'cut' : 'crashed', ownerPid: null, workerAlive };
}

/** An older release wrote no machine: then it was this one. */
function relationOfWorker({ group, machineId }: Recorded['worker'] & {}, { self }: Watch): Relation {
  return relationOf(
    { ...self, bootId: group.bootId, machineId: machineId === undefined ? self.machineId : machineId },
    self,
  );
}
