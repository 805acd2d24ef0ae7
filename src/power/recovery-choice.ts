/** Which sessions a recovery brings back by itself. Pure. */

import type { SessionState, StoppedBy } from '../words.ts';
import { isOpenState } from '../words.ts';

export interface InterruptedFacts {
  /** What it is right now: its processes may have died unseen. */
  readonly state: SessionState;
  /** What was recorded last. */
  readonly recorded: SessionState;
  /** Who asked for its last stop; null: nobody did. */
  readonly stoppedBy: StoppedBy | null;
  /** `alone`: a trainer that ran without a supervisor had it. Null: nobody has a claim on it. */
  readonly ownerRole: 'supervisor' | 'alone' | null;
  /** Its claim is held on another machine, or in another container. */
  readonly elsewhere: string | null;
  /** A session of the same line that was begun later; null: this is the newest. */
  readonly supersededBy: string | null;
  /** Since its last sign of life, wall clock. */
  readonly silentMs: number;
  /** What has been silent for longer is nothing that anybody waits for; null: no limit. */
  readonly maxAgeMs: number | null;
}

export type RecoveryChoice =
  | { readonly kind: 'resume' }
  /** Its worker trains on without a supervisor. */
  | { readonly kind: 'adopt' }
  /** Not to be brought back by itself; null: nothing that anybody would ask about. */
  | { readonly kind: 'leave'; readonly reason: string | null }
  /** It would be brought back, but for its age: somebody is to be asked. */
  | { readonly kind: 'too-old' };

export function chooseRecovery(facts: InterruptedFacts): RecoveryChoice {
  const { state, recorded, stoppedBy, ownerRole, elsewhere, supersededBy, silentMs, maxAgeMs } = facts;
  const wasOpen = isOpenState(recorded);
  const stoppedForPower = recorded === 'interrupted' && (stoppedBy === 'shutdown' || stoppedBy === 'ups');
  if (!wasOpen && !stoppedForPower) return leave(null);
  if (elsewhere !== null) return leave(`it is held on ${elsewhere}, which cannot be seen from here`);
  if (state === 'running') return leave(null);
  if (stoppedBy === 'operator') return leave('it was being stopped on request');
  if (supersededBy !== null) return leave(`the same line was started anew as ${supersededBy}`);
  if (ownerRole === 'alone') return leave('it ran without a supervisor: start it as it was started');
  // It trains: its age is no more than that of a supervisor's last note.
  if (state === 'orphaned') return { kind: 'adopt' };
  return maxAgeMs !== null && silentMs > maxAgeMs ? { kind: 'too-old' } : { kind: 'resume' };
}

function leave(reason: string | null): RecoveryChoice {
  return { kind: 'leave', reason };
}
