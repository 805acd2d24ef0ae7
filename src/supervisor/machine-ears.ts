/** What whoever hears of the machine's sleep and shutdown is given, whichever system tells it. */
import type { Going } from '../power/logind-policy.ts';
import type { SupervisorEvent } from './events.ts';

export interface MachineEars {
  readonly environment: NodeJS.ProcessEnv;
  readonly tell: (event: SupervisorEvent) => void;
  /** Asks for an emergency save. False: there is nobody to ask. */
  readonly save: (going: Going) => boolean;
  readonly onWoke: (forMs: number) => void;
  /** Monotonic, and running on in sleep where the system's does. */
  readonly nowMs: () => number;
}
