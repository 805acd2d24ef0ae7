/**
 * The save in flight as the training loop sees it: a snapshot at a step boundary, its tensors read a few at a time or
 * all at once, the bytes transferred to the writer. At most one save is in flight.
 */
import { encodeState } from '../checkpoint/state-json.ts';
import { DTYPE_BITS, type TensorSpec } from '../checkpoint/types.ts';
import { type Deferred, deferred } from './deferred.ts';
import type { SnapshotTensor, StateValue } from './state.ts';
import type { ToLoop, ToThread } from './thread/messages.ts';

export type SaveOutcome =
  | { readonly status: 'durable'; readonly sequence: number; readonly path: string; readonly step: number }
  | { readonly status: 'failed'; readonly code: string; readonly message: string; readonly step: number };

/** What a save holds: tensors to read, JSON to encode now, and how to free the snapshot. */
export interface SaveContent {
  readonly tensors: readonly SnapshotTensor[];
  readonly json: StateValue;
  release(): void;
}

export interface SaveRequest {
  readonly step: number;
  readonly epoch: number;
  readonly kinds: readonly string[];
  readonly reason: string | null;
  readonly requests: readonly string[];
  readonly metrics: Readonly<Record<string, number>>;
  /** Further figures for the manifest's `memory`. */
  readonly memory: Readonly<Record<string, number>>;
  readonly backend: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Takes the snapshot. */
  readonly content: () => SaveContent;
}

/** What a finished handing-over has cost. */
export interface SaveMeasurement {
  readonly stallMs: number;
  readonly bytes: number;
}

interface InFlight {
  readonly id: number;
  readonly step: number;
  readonly epoch: number;
  readonly bytes: number;
  readonly content: SaveContent;
  readonly state: string;
  kinds: readonly string[];
  reason: string | null;
  hasRequests: boolean;
  next: number;
  stallMs: number;
  stage: 'reading' | 'handed-over' | 'ended';
  readonly outcome: Deferred<SaveOutcome>;
  readonly settled: Deferred<boolean>;
}

export interface SaveHandle {
  readonly outcome: Promise<SaveOutcome>;
  /** True once it was read back, false when it failed before or by that. */
  readonly settled: Promise<boolean>;
}

export class Saver {
  readonly #post: (message: ToThread, transfer?: ArrayBuffer[]) => void;
  readonly #now: () => number;
  readonly #measured: (measurement: SaveMeasurement) => void;
  #nextId = 1;
  #current: InFlight | null = null;
  /** Place of the newest durable save. */
  #durable: { readonly step: number; readonly epoch: number } | null = null;
  /** Durable saves whose read-back is not reported yet. */
  readonly #settling = new Map<number, InFlight>();

  constructor(
    post: (message: ToThread, transfer?: ArrayBuffer[]) => void,
    now: () => number,
    measured: (measurement: SaveMeasurement) => void,
  ) {
    this.#post = post;
    this.#now = now;
    this.#measured = measured;
  }

  /** A save is being read or written, so another cannot begin. */
  get busy(): boolean {
    return this.#current !== null;
  }

  /** The save in flight is of this boundary. */
  isOf(step: number, epoch: number): boolean {
    return this.#current?.step === step && this.#current.epoch === epoch;
  }

  /** The newest save, durable by now or in flight, is of this boundary. */
  has(step: number, epoch: number): boolean {
    return this.isOf(step, epoch) || (this.#durable?.step === step && this.#durable.epoch === epoch);
  }

  /** Nothing is in flight and everything durable was read back. */
  get idle(): boolean {
    return this.#current === null && this.#settling.size === 0;
  }

  /** Resolves when the save in flight, if any, is durable or has failed. */
  async ready(): Promise<void> {
    while (this.#current !== null) {
      this.hurry();
      await this.#current?.outcome.promise;
    }
  }

  /**
   * Takes the snapshot now and announces it; the caller made sure that none is in flight.
   * @throws NkatError `state-not-serializable`, after it was reported.
   */
  begin(request: SaveRequest): SaveHandle {
    const startedAt = this.#now();
    const { step, epoch, kinds, reason, requests, metrics, memory, backend, versions } = request;
    const content = request.content();
    let state: string;
    try {
      state = encodeState(content.json);
    } catch (error) {
      content.release();
      const message = error instanceof Error ? error.message : String(error);
      this.#post({ type: 'save-refused', step, kinds, requests, code: 'state-not-serializable', message });
      throw error;
    }
    const tensors: TensorSpec[] = content.tensors.map(({ name, dtype, shape, mayBeNonFinite }) => ({
      name,
      dtype,
      shape: [...shape],
      ...(mayBeNonFinite === undefined ? {} : { mayBeNonFinite }),
    }));
    const bytes = tensors.reduce((sum, tensor) => sum + byteLength(tensor), 0);
    const outcome = deferred<SaveOutcome>();
    const settled = deferred<boolean>();
    const id = this.#nextId++;
    this.#current = {
      id,
      step,
      epoch,
      bytes,
      content,
      state,
      kinds,
      reason,
      hasRequests: requests.length > 0,
      next: 0,
      stallMs: 0,
      stage: 'reading',
      outcome,
      settled,
    };
    this.#post({
      type: 'save-begin',
      id,
      step,
      epoch,
      kinds,
      reason,
      requests,
      metrics,
      memory,
      backend,
      versions,
      tensors,
      bytes,
    });
    this.#current.stallMs = this.#now() - startedAt;
    return { outcome: outcome.promise, settled: settled.promise };
  }

  /** Reads tensors until the budget is spent, at least one; hands over when the last is read. */
  advance(budgetMs: number): void {
    const save = this.#current;
    if (save === null || save.stage !== 'reading') return;
    const startedAt = this.#now();
    const { tensors } = save.content;
    try {
      while (save.next < tensors.length) {
        const bytes = (tensors[save.next] as SnapshotTensor).read();
        save.next++;
        // The buffer must be whole: a view of a larger one would take the rest of it along.
        const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
        this.#post({ type: 'save-bytes', id: save.id, bytes: own }, [own.buffer]);
        if (this.#now() - startedAt >= budgetMs) break;
      }
    } catch (error) {
      this.#giveUp(save, 'read', error instanceof Error ? error.message : String(error));
      throw error;
    }
    save.stallMs += this.#now() - startedAt;
    if (save.next === tensors.length) this.#handOver(save);
  }

  /** Reads all that is left. */
  hurry(): void {
    this.advance(Number.POSITIVE_INFINITY);
  }

  /**
   * Lets the save in flight serve another request, if it is of this very boundary. Kinds can still be added until all
   * is read; afterwards only a request without kinds of its own (an emergency) can join.
   */
  join(
    step: number,
    epoch: number,
    kinds: readonly string[],
    reason: string | null,
    requests: readonly string[],
  ): SaveHandle | null {
    const save = this.#current;
    if (save === null || !this.isOf(step, epoch)) return null;
    const missing = kinds.filter((kind) => !save.kinds.includes(kind));
    if (save.stage === 'reading') {
      save.kinds = [...save.kinds, ...missing];
      save.reason = reason ?? save.reason;
    } else if (missing.some((kind) => kind !== 'emergency')) return null;
    if (requests.length > 0) {
      save.hasRequests = true;
      this.#post({ type: 'save-join', id: save.id, requests });
    }
    return { outcome: save.outcome.promise, settled: save.settled.promise };
  }

  /**
   * Gives a merely periodic save up for a newer one. Saves that somebody asked for, and best models, are not given up.
   */
  supersede(): void {
    const save = this.#current;
    if (save === null || save.hasRequests || save.kinds.some((kind) => kind !== 'auto')) return;
    this.#giveUp(save, 'superseded', 'an emergency save of a later step took its place');
  }

  /** What the thread reports of saves. */
  receive(message: Extract<ToLoop, { type: 'save-durable' | 'save-settled' | 'save-failed' }>): void {
    const save = this.#current?.id === message.id ? this.#current : this.#settling.get(message.id);
    if (save === undefined) return;
    if (message.type === 'save-durable') {
      if (save !== this.#current) return;
      this.#current = null;
      save.stage = 'ended';
      this.#durable = { step: save.step, epoch: save.epoch };
      this.#settling.set(save.id, save);
      save.outcome.resolve({ status: 'durable', sequence: message.sequence, path: message.path, step: save.step });
    } else if (message.type === 'save-settled') {
      this.#settling.delete(save.id);
      if (!message.verified && this.#durable?.step === save.step) this.#durable = null;
      save.settled.resolve(message.verified);
    } else this.#failed(save, message.code, message.message);
  }

  /** The thread died with all that it had in hand. */
  lost(why: string): void {
    const save = this.#current;
    if (save !== null) {
      const { step, kinds } = save;
      this.#post({ type: 'save-refused', step, kinds, requests: [], code: 'thread-crashed', message: why });
      this.#failed(save, 'thread-crashed', why);
    }
    for (const settling of this.#settling.values()) settling.settled.resolve(false);
    this.#settling.clear();
  }

  #handOver(save: InFlight): void {
    save.stage = 'handed-over';
    const { id, state, kinds, reason, stallMs, bytes } = save;
    this.#post({ type: 'save-finish', id, state, kinds, reason, stallMs });
    save.content.release();
    this.#measured({ stallMs, bytes });
  }

  #giveUp(save: InFlight, code: string, message: string): void {
    this.#post({ type: 'save-abort', id: save.id, code, message });
    this.#failed(save, code, message);
  }

  #failed(save: InFlight, code: string, message: string): void {
    if (save === this.#current) this.#current = null;
    if (save.stage === 'reading') save.content.release();
    save.stage = 'ended';
    save.outcome.resolve({ status: 'failed', code, message, step: save.step });
    save.settled.resolve(false);
  }
}

function byteLength({ dtype, shape }: TensorSpec): number {
  return (shape.reduce((product, size) => product * size, 1) * DTYPE_BITS[dtype]) / 8;
}
