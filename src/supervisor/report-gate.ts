/**
 * Keeps a worker that talks too much from costing more than it should: progress is thinned to what a screen can show, and
 * messages that leave a row or a line each are counted instead of kept from some rate on. What was dropped is told.
 */
import type { WorkerReport } from './channel-server.ts';

/** Progress in between is out of date when the next comes. */
const PROGRESS_EVERY_MS = 100;
/** Messages of a worker that means well: a save each few steps, a warning now and then. */
const BURST = 1_000;
const PER_SECOND = 50;
const TELL_EVERY_MS = 10_000;

export interface ReportGateOptions {
  readonly pass: (message: WorkerReport) => void;
  readonly onDropped: (count: number) => void;
  readonly nowMs: () => number;
}

type Progress = Extract<WorkerReport, { type: 'progress' }>;

/** What training, an outcome or a waiting client depends on is never dropped, only read no faster than it is handled. */
const ALWAYS: ReadonlySet<WorkerReport['type']> = new Set([
  'restored',
  'saved',
  'unusable',
  'diverged',
  'done',
  'acknowledged',
]);

export class ReportGate {
  readonly #options: ReportGateOptions;
  #held: { readonly message: Progress; readonly atMs: number } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #progressAtMs = Number.NEGATIVE_INFINITY;
  #tokens = BURST;
  #filledAtMs: number;
  #dropped = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ReportGateOptions) {
    this.#options = options;
    this.#filledAtMs = options.nowMs();
  }

  take(message: WorkerReport): void {
    if (message.type === 'progress') {
      this.#progress(message);
      return;
    }
    if (!ALWAYS.has(message.type) && !this.#takeToken()) {
      // Held progress waits on: were it let out for each of these, a flood would thin nothing.
      this.#drop();
      return;
    }
    // In order: what was held back is older.
    this.flush();
    this.#options.pass(message);
  }

  /** Hands on the progress that is held back, as old as it has become. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const held = this.#held;
    this.#held = null;
    if (held === null) return;
    const nowMs = this.#options.nowMs();
    this.#progressAtMs = nowMs;
    const lastStepAgeMs = held.message.lastStepAgeMs + (nowMs - held.atMs);
    this.#options.pass({ ...held.message, lastStepAgeMs });
  }

  #progress(message: Progress): void {
    const atMs = this.#options.nowMs();
    this.#held = { message, atMs };
    const dueMs = this.#progressAtMs + PROGRESS_EVERY_MS - atMs;
    if (dueMs <= 0) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), dueMs);
  }

  #takeToken(): boolean {
    const nowMs = this.#options.nowMs();
    this.#tokens = Math.min(BURST, this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * PER_SECOND);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #drop(): void {
    this.#dropped += 1;
    const nowMs = this.#options.nowMs();
    if (nowMs - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    this.#options.onDropped(this.#dropped);
  }
}
