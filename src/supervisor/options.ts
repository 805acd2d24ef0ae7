/** What the command line hands to the supervisor, and what it gets back. */
import type { SessionIdentity, SessionLaunch } from '../checkpoint/types.ts';
import type { RunSettings } from '../config/settings.ts';
import type { StateHome } from '../home.ts';
import type { SessionsDatabase } from '../sessions/database.ts';
import type { Outcome, Summary, SupervisorEvent } from './events.ts';

export type SessionTarget =
  | { readonly kind: 'new'; readonly identity: SessionIdentity }
  /** `args` replaces the trainer's arguments (`resume <session> -- ARGS`); null keeps them. */
  | {
      readonly kind: 'existing';
      readonly id: string;
      readonly directory: string;
      readonly args: readonly string[] | null;
    };

export interface SuperviseOptions {
  readonly home: StateHome;
  readonly sessions: SessionsDatabase;
  readonly target: SessionTarget;
  readonly settings: RunSettings;
  /** Sequence or path to resume from instead of the newest; null: the newest that verifies. */
  readonly from: number | string | null;
  readonly takeOver: boolean;
  /** How this start was made, to be kept; missing: what is kept stays. */
  readonly launch?: SessionLaunch;
  /** Command words for anything that is no `.ts`, `.mts`, `.js` or `.mjs` trainer; null: our Node with the preload. */
  readonly command: readonly string[] | null;
  /** Set: stop what an earlier supervisor left training, and launch nothing. */
  readonly stop?: { readonly reason: string | null };
  readonly publish: (event: SupervisorEvent) => void;
  /** Stop signals as they arrive, installed by the caller before anything else ran. */
  readonly signals: StopSignalSource;
}

/** Signals that arrived, oldest first; those that came before anyone listened are not lost. */
export interface StopSignalSource {
  listen(receive: (signal: NodeJS.Signals) => void): void;
  close(): void;
}

export interface SessionEnd {
  readonly session: string;
  readonly outcome: Outcome;
  /** The signal that asked for the stop, for exit codes 130 and 143. */
  readonly signal: NodeJS.Signals | null;
  readonly reason: string;
  readonly summary: Summary;
}
