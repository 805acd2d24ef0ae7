/**
 * What the last step boundary was, so that a run that dies between two boundaries can still be saved as it was at the
 * last one. Taken at each boundary: random states and kept objects are copied, the trainer's state remembers for itself
 * whether it was changed (see `TrainingState.mark`).
 */
import { boundedCopy } from './bounded-copy.ts';
import type { RandomSaved } from './random-slots.ts';
import type { TrainingState } from './state.ts';

/** Share of a step that copying what is kept may take on average. */
const COPY_SHARE = 0.002;
/** What each boundary may take in any case, in milliseconds. */
const CHEAP_MS = 0.002;
/** What may be spent in advance, in milliseconds: a few slow copies are no reason to stop. */
const CREDIT_MS = 50;

export interface Marked {
  readonly random: RandomSaved;
  /** Null: too large to be copied at each boundary. */
  readonly kept: Readonly<Record<string, unknown>> | null;
}

/** What is there to be saved now. `inside`: a boundary was just being made. */
export type Standing =
  | { readonly kind: 'unchanged'; readonly marked: Marked }
  | { readonly kind: 'changed' | 'in-place' | 'kept-too-large' | 'inside' | 'not-marked' };

export interface MarkSources {
  random(): RandomSaved;
  kept(): ReadonlyMap<string, object>;
  now(): number;
}

export class BoundaryMark {
  readonly #sources: MarkSources;
  #random: RandomSaved | null = null;
  #kept: Readonly<Record<string, unknown>> | null = null;
  #inside = false;
  #waiting = 0;
  #creditMs = CREDIT_MS;
  /** What the copy before took; 0: there was none. */
  #copyMs = 0;

  constructor(sources: MarkSources) {
    this.#sources = sources;
  }

  /** Position, history or means are being changed: nothing is whole until `made`. */
  begin(): void {
    this.#inside = true;
  }

  /** All is of this boundary now. @param stepMs smoothed time of a step */
  made(state: TrainingState | null, stepMs: number): void {
    this.#inside = false;
    if (state === null) return;
    this.#random = this.#sources.random();
    this.#kept = this.#copyKept(stepMs);
    state.mark?.();
  }

  /**
   * The trainer waits for the SDK from here on, so whatever is thrown meanwhile (in a timer) found all at the boundary.
   * @returns what ends it
   */
  waits(): () => void {
    let ended = false;
    let started = false;
    // Not before the code that called us has come to its own wait: one that does not wait may still train on.
    process.nextTick(() => {
      if (ended) return;
      started = true;
      this.#waiting++;
    });
    return () => {
      ended = true;
      if (started) this.#waiting--;
      started = false;
    };
  }

  standing(state: TrainingState): Standing {
    if (this.#random === null) return { kind: 'not-marked' };
    if (this.#inside) return { kind: 'inside' };
    const waiting = this.#waiting > 0;
    if (state.isMarked === undefined) {
      if (!waiting) return { kind: 'in-place' };
    } else if (!state.isMarked()) return { kind: 'changed' };
    const kept = this.#kept ?? (waiting ? Object.fromEntries(this.#sources.kept()) : null);
    if (kept === null) return { kind: 'kept-too-large' };
    return { kind: 'unchanged', marked: { random: this.#random, kept } };
  }

  #copyKept(stepMs: number): Readonly<Record<string, unknown>> | null {
    const kept = this.#sources.kept();
    if (kept.size === 0) return {};
    this.#creditMs = Math.min(CREDIT_MS, this.#creditMs + Math.max(CHEAP_MS, stepMs * COPY_SHARE));
    if (this.#creditMs <= 0) return null;
    const startedAt = this.#sources.now();
    const copy = boundedCopy(Object.fromEntries(kept));
    const tookMs = this.#sources.now() - startedAt;
    // One alone that was slow says nothing of the copy: its processor was given to somebody else, or garbage was collected.
    this.#creditMs -= Math.min(tookMs, this.#copyMs);
    this.#copyMs = tookMs;
    return copy;
  }
}
