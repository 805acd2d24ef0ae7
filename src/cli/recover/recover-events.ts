/** What a recovery tells: its own words, and those of the supervisors that it started. */
import type { ToldEvent } from './recovering-session.ts';

/** How one session's recovery came out. `held`: somebody else was faster. `not-started`: stopped before its turn. */
export interface RecoveryResult {
  readonly session: string;
  /** An outcome of a supervised session, or `held`, `not-started`, `refused`, `broken`. */
  readonly outcome: string;
  readonly exitCode: number;
  readonly message: string | null;
}

export type RecoverEvent =
  /** Something that it needs is not there yet, and is waited for. */
  | {
      readonly name: 'recovery-waiting';
      readonly session: string;
      readonly path: string;
      readonly message: string;
      /** Null: for as long as it takes. */
      readonly waitMs: number | null;
    }
  | {
      readonly name: 'recovery-started';
      readonly session: string;
      readonly action: 'resume' | 'adopt';
      readonly pid: number | null;
      /** What may go wrong later; null: nothing that is known. */
      readonly warning: string | null;
    }
  | { readonly name: 'recovery-told'; readonly session: string; readonly event: ToldEvent }
  | ({ readonly name: 'recovery-over' } & RecoveryResult)
  | { readonly name: 'recovery-ended'; readonly results: readonly RecoveryResult[]; readonly exitCode: number };
