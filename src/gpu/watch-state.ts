/** The states of the watch over all cards. Each carries only what is legal in it. */
import type { Columns } from './fields.ts';
import type { SmiTrouble, TroubleKind } from './smi-trouble.ts';

/** What outlives one child. */
export interface WatchMemory {
  /** Number of the newest child; what an older one still says is not listened to. */
  readonly child: number;
  /** Field names that this driver has; null: it did not say. */
  readonly known: readonly string[] | null;
  readonly refused: readonly string[];
  /** Children in a row that ended badly. */
  readonly failures: number;
  /** Children that were told to die and did not end yet: a hanging driver holds them. */
  readonly unended: number;
  /** What was told last, so that each trouble is told once; null: all is well. */
  readonly told: TroubleKind | null;
}

export type WatchState =
  | { readonly kind: 'closed'; readonly memory: WatchMemory }
  /** There is nothing to run: nothing is polled any more. */
  | { readonly kind: 'absent'; readonly memory: WatchMemory }
  /** The driver is asked which fields it has. */
  | { readonly kind: 'asking'; readonly memory: WatchMemory }
  /** A child runs and has not said anything yet. */
  | { readonly kind: 'starting'; readonly memory: WatchMemory; readonly sinceMs: number }
  | {
      readonly kind: 'watching';
      readonly memory: WatchMemory;
      readonly firstRowMs: number;
      readonly lastRowMs: number;
    }
  /** The next child is started then; null: not before one that is stuck has ended. */
  | { readonly kind: 'resting'; readonly memory: WatchMemory; readonly untilMs: number | null };

export type WatchEvent =
  | { readonly type: 'opened' }
  /** What the driver answered: the names it knows, or null. */
  | { readonly type: 'fields-told'; readonly known: readonly string[] | null }
  /** The question itself failed in a way that a child would meet too. */
  | { readonly type: 'question-failed'; readonly trouble: SmiTrouble }
  | { readonly type: 'row'; readonly child: number }
  | { readonly type: 'field-refused'; readonly child: number; readonly name: string }
  | { readonly type: 'child-ended'; readonly child: number; readonly trouble: SmiTrouble }
  /** Time has passed, to the next deadline at least. `late`: we ourselves slept beyond it. */
  | { readonly type: 'tick'; readonly late: boolean }
  | { readonly type: 'closed' };

export type WatchEffect =
  | { readonly type: 'ask-fields' }
  | { readonly type: 'start-child'; readonly child: number; readonly columns: Columns }
  | { readonly type: 'leave-child'; readonly child: number }
  | { readonly type: 'tell-trouble'; readonly trouble: SmiTrouble }
  | { readonly type: 'tell-working' };

export const NEW_WATCH: WatchState = {
  kind: 'closed',
  memory: { child: 0, known: null, refused: [], failures: 0, unended: 0, told: null },
};
