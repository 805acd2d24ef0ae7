/** What can happen to a session. Every event carries the supervisor's monotonic time. */
import type { CardLoad } from '../../gpu/policy/card-load.ts';
import type { Phase } from '../../protocol/messages.ts';
import type { StoppedBy } from '../../words.ts';
import type { Evidence, WorkerEnd } from '../worker-end.ts';

/** What an attempt has verified, as its checkpoints tell it: whoever was its supervisor then may have died before it knew. */
export interface VerifiedSteps {
  /** Highest step of a checkpoint that it verified; -1: none. */
  readonly verifiedStep: number;
  /** The same, of checkpoints that were not merely made as it died. */
  readonly regularStep: number;
}

/** An attempt that ended while no supervisor watched. */
export interface UnseenEnd extends VerifiedSteps {
  readonly end: WorkerEnd;
  readonly bootChanged: boolean;
  /** What the kernel's log says of it; see `Evidence`. */
  readonly oomRecord?: string | null;
  readonly resumedFrom: number | null;
  /** Newest checkpoint of that attempt of kind `final`, if any: it had finished. */
  readonly final: number | null;
  /** What it wrote down itself about why it ended; null: nothing. */
  readonly note: string | null;
  /** When it was last heard of, ISO 8601, where that is the best that is known of its end. */
  readonly lastSeenAt?: string | undefined;
  /** A supervisor saw the end and counted it, and died before it had dealt with it. */
  readonly counted?: boolean | undefined;
}

export type Happening =
  /** An attempt that no supervisor saw the end of is still alive. */
  | {
      readonly type: 'orphan-found';
      readonly attempt: number;
      readonly resumedFrom: number | null;
      /** False: it never spoke to a supervisor, so it may have no channel at all. */
      readonly spoke: boolean;
      /** Missing: nothing is known of it. */
      readonly verified?: VerifiedSteps;
    }
  /** The last recorded attempt is over, or there never was one. */
  | {
      readonly type: 'no-orphan';
      readonly unseenEnd: UnseenEnd | null;
      /** The power was cut again soon after the last recovery, and is given this long to settle; missing: it is not. */
      readonly settle?: { readonly waitMs: number; readonly reason: string } | undefined;
    }
  | {
      readonly type: 'checkpoint-chosen';
      readonly sequence: number | null;
      readonly steppedBack: boolean;
      /** What was read and verified for it; null: a fresh start. */
      readonly verified: { readonly step: number; readonly kinds: readonly string[] } | null;
    }
  | { readonly type: 'no-checkpoint'; readonly reason: string; readonly missing: boolean }
  | { readonly type: 'spawn-failed'; readonly errno: string | null; readonly reason: string }
  | {
      readonly type: 'worker-connected';
      /** True: some supervisor told it what to resume from. False: it trains only after a welcome that names a resume point. */
      readonly welcomed: boolean;
      readonly phase: Phase;
      readonly step: number;
      readonly lastSaved: number | null;
      /** It takes smaller batches where a card's memory was full; missing: it does not say. */
      readonly adaptsBatch?: boolean;
    }
  | { readonly type: 'channel-closed' }
  /** The checkpoint it was given failed while it was loaded; it goes on from another. */
  | { readonly type: 'resume-changed'; readonly sequence: number | null }
  | { readonly type: 'phase-changed'; readonly phase: Phase }
  | {
      readonly type: 'progressed';
      readonly phase: Phase;
      readonly step: number;
      readonly lastStepAgeMs: number;
      readonly waiting?: boolean;
    }
  | { readonly type: 'request-acknowledged'; readonly request: string }
  | { readonly type: 'save-started' }
  | {
      readonly type: 'save-durable';
      readonly request: string | null;
      readonly sequence: number;
      readonly step: number;
      readonly tookMs: number;
    }
  | {
      readonly type: 'checkpoint-verified';
      readonly sequence: number;
      readonly step: number;
      readonly kinds: readonly string[];
    }
  | {
      readonly type: 'save-failed';
      readonly request: string | null;
      readonly code: string;
      readonly message: string;
    }
  | { readonly type: 'diverged'; readonly step: number; readonly loss: string; readonly adapts: boolean }
  | { readonly type: 'worker-done' }
  | { readonly type: 'worker-ended'; readonly end: WorkerEnd }
  | { readonly type: 'group-gone' }
  /** `survivors`: who outlives SIGKILL, and what each waits for, in words. */
  | { readonly type: 'group-unkillable'; readonly survivors: readonly string[] }
  | { readonly type: 'evidence-gathered'; readonly evidence: Evidence; readonly random: number }
  | { readonly type: 'confirmation'; readonly verified: boolean; readonly reason: string }
  | {
      readonly type: 'stop-signal';
      readonly signal: NodeJS.Signals;
      /** Set: it came from `nkat-recover stop`, and a further one presses no harder. Null: no reason was given. */
      readonly command?: { readonly reason: string | null; readonly by?: StoppedBy | undefined };
      /** The system ends us after so long, whatever the grace is; missing: it does not. */
      readonly withinMs?: number | undefined;
    }
  /** Who it was that sent the signal, found out meanwhile. */
  | { readonly type: 'stopped-by'; readonly by: StoppedBy }
  /** The worker is to be stopped: slowing it down did not keep its card from getting hotter. */
  | { readonly type: 'card-overheated'; readonly reason: string }
  /** How much the worker's cards have to do, each time that it changes. */
  | { readonly type: 'card-load'; readonly load: CardLoad }
  /** What a launch waits for is there: the card is cool, healthy, or its memory free. */
  | { readonly type: 'card-ready' }
  /** Our own clock jumped or we were stopped: what waits in the channel was not late. */
  | { readonly type: 'woke-late'; readonly gapMs: number }
  | { readonly type: 'time-passed' };

export type MachineEvent = Happening & { readonly nowMs: number };
export type EventOf<T extends Happening['type']> = Extract<Happening, { type: T }> & { readonly nowMs: number };
