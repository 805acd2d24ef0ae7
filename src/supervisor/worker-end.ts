/** How a worker ended, before anyone concludes from it. */
import type { CardLoss } from '../gpu/policy/card-loss.ts';

export interface WorkerEnd {
  /** Exit code, or null when a signal ended it or nothing is known. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** `exit`: our child's exit event; `record`: the launcher's exit record; `vanished`: neither. */
  readonly source: 'exit' | 'record' | 'vanished';
}

/** What was found after the end. */
export interface Evidence {
  /** Newest lines of stderr, at most 40. */
  readonly stderrTail: readonly string[];
  /** Words of a kernel or cgroup OOM record that names this worker, or null. */
  readonly oomRecord: string | null;
  /** What the cards and the kernel's log have to say; missing: nothing against a card. */
  readonly card?: CardEvidence;
}

export interface CardEvidence {
  /** A launch on the worker's card would fail again; null: not that anybody knows. */
  readonly loss: CardLoss | null;
  /** An error that a new start of the program mends; null: none. */
  readonly xid: string | null;
}
