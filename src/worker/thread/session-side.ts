/** What the thread's core needs of the two ways to hold a session: under a supervisor, or alone. */
import type { Committed } from '../../checkpoint/types.ts';
import type { ResumePoint, SupervisorMessage, WorkerMessage } from '../../protocol/messages.ts';
import type { LoadOutcome } from './loader.ts';
import type { Refusal, SessionFacts } from './messages.ts';

export interface SessionSide {
  /** Begins to get hold of the session; ends in `SessionOwner.welcomed` or `exit`. */
  start(): void;
  /** Tells the supervisor, now or when there is one again. */
  tell(message: WorkerMessage): void;
  /** Tells what is only true now. */
  tellNow(message: WorkerMessage): void;
  /** The resume point could not be loaded: the next one to try, or null when there is none. */
  unusable(point: ResumePoint, outcome: Extract<LoadOutcome, { status: 'unusable' }>): Promise<ResumePoint | null>;
  /** A commit became durable. */
  committed(committed: Committed): Promise<void>;
  /** A commit was refused because somebody else claimed the session. */
  fenced(): void;
  ended(state: 'completed' | 'interrupted'): Promise<void>;
}

export interface SessionOwner {
  /** First welcome: the session is ours to train. Later ones bring a new claim and, unless it is kept, a new policy. */
  welcomed(facts: SessionFacts, keepPolicy: boolean): void;
  /** What the supervisor asks of the training loop. */
  requested(
    message: Extract<
      SupervisorMessage,
      { type: 'save' | 'stop' | 'pause' | 'continue' | 'throttle' | 'cards' | 'release' }
    >,
  ): void;
  /** This process has no business with the session any more. */
  exit(code: number, message: string, refusal: Refusal | null): void;
  /** For `hello`. */
  position(): { readonly step: number; readonly epoch: number; readonly phase: number };
}
