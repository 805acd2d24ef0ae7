/**
 * Saves as the training loop sees them: a snapshot at a step boundary, its tensors copied in slices (or all at once)
 * into memory that the writer shares. One save is read or written at a time; one more may wait for it with its
 * snapshot.
 */
import { ChunkFiller } from './chunk-filler.ts';
import { ReadBudget } from './read-budget.ts';
import { handleOf, isMerelyPeriodic, type SaveHandle, type SaveInFlight, type SaveRequest } from './save-in-flight.ts';
import { readBudgetMs, USUAL_READ_MS } from './save-policy.ts';
import { takeSnapshot } from './take-snapshot.ts';
import type { SaveReport, ToThread } from './thread/messages.ts';

/** In flight and waiting: each holds a snapshot, so the state is in memory that many times more at the most. */
const MOST_SAVES = 2;

/** What a finished handing-over has cost. */
export interface SaveMeasurement {
  readonly stallMs: number;
  readonly bytes: number;
}

export interface SaverOptions {
  readonly post: (message: ToThread) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly measured: (measurement: SaveMeasurement) => void;
  /** Blocks, taking the thread's messages, until the condition holds or the time is up. */
  readonly waitFor: (holds: () => boolean, timeoutMs: number) => void;
}

export class Saver {
  readonly #options: SaverOptions;
  readonly #budget = new ReadBudget();
  #nextId = 1;
  /** The first is read or written, the others wait. */
  #saves: SaveInFlight[] = [];
  /** Saves up to this id are read as fast as the writer takes them. */
  #hurriedId = 0;
  #reading = false;
  #stepMs = 0;
  /** Place of the newest durable save. */
  #durable: { readonly step: number; readonly epoch: number } | null = null;
  /** Durable saves whose read-back is not reported yet. */
  readonly #settling = new Map<number, SaveInFlight>();

  constructor(options: SaverOptions) {
    this.#options = options;
  }

  /** A save is being read or written. */
  get busy(): boolean {
    return this.#saves.length > 0;
  }

  /** Another save can be begun. */
  get hasPlace(): boolean {
    return this.#saves.length < MOST_SAVES;
  }

  /** A periodic save can be begun: a best model in flight does not cost one, another periodic save does. */
  get takesPeriodic(): boolean {
    return this.hasPlace && !this.#saves.some(({ kinds }) => kinds.includes('auto'));
  }

  /** The newest save, durable by now or in flight, is of this boundary. */
  has(step: number, epoch: number): boolean {
    return [...this.#saves.map(({ request }) => request), this.#durable].some(
      (place) => place?.step === step && place.epoch === epoch,
    );
  }

  /** Nothing is in flight and everything durable was read back. */
  get idle(): boolean {
    return !this.busy && this.#settling.size === 0;
  }

  /** Resolves when the first save in flight, if any, is durable or has failed; it is read at once. */
  async firstEnded(): Promise<void> {
    this.hurry();
    await this.#saves[0]?.outcome.promise;
  }

  /**
   * Takes the snapshot now; it is announced and read when no other save is in flight.
   * @throws NkatError `state-not-serializable`, after it was reported.
   */
  begin(request: SaveRequest): SaveHandle {
    const { now, post } = this.#options;
    const startedAt = now();
    const save = takeSnapshot(this.#nextId++, request, post);
    this.#saves.push(save);
    this.#startFirst();
    save.stallMs += now() - startedAt;
    // Long steps: else a small state, too, would be durable a whole step later.
    if (readBudgetMs(this.#stepMs) > USUAL_READ_MS) this.step(this.#stepMs);
    return handleOf(save);
  }

  /** At a step: reads for as long as the training time allows. @param stepMs smoothed time of a step */
  step(stepMs: number): void {
    this.#stepMs = stepMs;
    if (this.#saves[0]?.stage !== 'reading') return;
    const budgetMs = this.#budget.allow(this.#options.now(), stepMs);
    if (budgetMs > 0) this.#budget.spent(this.#read(budgetMs));
  }

  /** Reads all that is in flight as fast as the writer takes it, with each of its messages. */
  hurry(): void {
    this.#hurriedId = this.#nextId - 1;
    this.#read(Number.POSITIVE_INFINITY);
  }

  /**
   * Lets a save in flight serve another request, if it is of this very boundary. Kinds can still be added until all
   * is read; afterwards only a request without kinds of its own (an emergency) can join.
   */
  join(
    step: number,
    epoch: number,
    kinds: readonly string[],
    reason: string | null,
    requests: readonly string[],
  ): SaveHandle | null {
    const save = this.#saves.find(({ request }) => request.step === step && request.epoch === epoch);
    if (save === undefined) return null;
    const missing = kinds.filter((kind) => !save.kinds.includes(kind));
    if (save.stage === 'waiting' || save.stage === 'reading') {
      save.kinds = [...save.kinds, ...missing];
      save.reason = reason ?? save.reason;
    } else if (missing.some((kind) => kind !== 'emergency')) return null;
    if (requests.length > 0) {
      save.requests = [...save.requests, ...requests];
      if (save.stage !== 'waiting') this.#options.post({ type: 'save-join', id: save.id, requests });
    }
    return handleOf(save);
  }

  /**
   * Gives merely periodic saves of other boundaries up for one of this. Saves that somebody asked for, and best models,
   * are not given up.
   */
  supersede(step: number, epoch: number): void {
    for (const save of [...this.#saves]) {
      if (!isMerelyPeriodic(save) || (save.request.step === step && save.request.epoch === epoch)) continue;
      this.#giveUp(save, 'superseded', 'an emergency save of a later step took its place');
    }
  }

  /** What the thread reports of saves. */
  receive(message: SaveReport): void {
    const [first] = this.#saves;
    const save = first?.id === message.id ? first : this.#settling.get(message.id);
    if (save === undefined) return;
    switch (message.type) {
      case 'save-ready':
        save.filler = new ChunkFiller(save.tensors, message.memory, message.headerBytes);
        return;
      case 'save-slot':
        save.filler?.freed(message.slot);
        if (save.id <= this.#hurriedId) this.#read(Number.POSITIVE_INFINITY);
        return;
      case 'save-durable':
        if (save !== first) return;
        this.#settling.set(save.id, save);
        this.#durable = save.request;
        save.outcome.resolve({ ...message, status: 'durable', step: save.request.step });
        this.#ended(save);
        return;
      case 'save-settled':
        this.#settling.delete(save.id);
        if (!message.verified && this.#durable === save.request) this.#durable = null;
        save.settled.resolve(message.verified);
        return;
      case 'save-failed':
        this.#failed(save, message.code, message.message);
        return;
    }
  }

  /** The thread died with all that it had in hand; what waited is announced to its successor. */
  lost(why: string): void {
    for (const settling of this.#settling.values()) settling.settled.resolve(false);
    this.#settling.clear();
    const [save] = this.#saves;
    if (save === undefined) return;
    const { kinds, request } = save;
    const { step } = request;
    this.#options.post({ type: 'save-refused', step, kinds, requests: [], code: 'thread-crashed', message: why });
    this.#failed(save, 'thread-crashed', why);
  }

  #startFirst(): void {
    const [save] = this.#saves;
    if (save?.stage !== 'waiting') return;
    save.stage = 'reading';
    this.#budget.begin(this.#options.now());
    const { id, request, kinds, reason, requests, specs: tensors, bytes } = save;
    const { step, epoch, metrics, memory, backend, versions } = request;
    const facts = { id, step, epoch, kinds, reason, requests, metrics, memory, backend, versions, tensors, bytes };
    this.#options.post({ type: 'save-begin', ...facts });
  }

  /**
   * Copies for at most so long; hands over when the last is copied. A long step's budget may outlast the memory: then
   * the writer is waited for. @returns milliseconds that it took
   */
  #read(budgetMs: number): number {
    const [save] = this.#saves;
    if (save === undefined || save.stage !== 'reading' || this.#reading) return 0;
    const { now, waitFor } = this.#options;
    const startedAt = now();
    const leftMs = (): number => budgetMs - (now() - startedAt);
    this.#reading = true;
    try {
      do {
        this.#copy(save, leftMs);
        const worthWaiting = Number.isFinite(budgetMs) && budgetMs > USUAL_READ_MS && !save.filler?.done;
        if (worthWaiting) waitFor(() => save.stage !== 'reading' || save.filler?.hasRoom === true, leftMs());
      } while (save.stage === 'reading' && save.filler?.done === false && save.filler.hasRoom && leftMs() > 0);
    } catch (error) {
      this.#giveUp(save, 'read', error instanceof Error ? error.message : String(error));
      throw error;
    } finally {
      this.#reading = false;
    }
    const ms = now() - startedAt;
    save.stallMs += ms;
    if (save.stage === 'reading' && save.filler?.done) this.#handOver(save);
    return ms;
  }

  #copy({ id, filler }: SaveInFlight, leftMs: () => number): void {
    while (filler !== null && !filler.done && filler.hasRoom) {
      const chunk = filler.copySlice();
      if (chunk !== null) this.#options.post({ type: 'save-chunk', id, ...chunk });
      if (leftMs() <= 0) return;
    }
  }

  #handOver(save: SaveInFlight): void {
    save.stage = 'handed-over';
    const { id, state, kinds, reason, stallMs, bytes } = save;
    this.#options.post({ type: 'save-finish', id, state, kinds, reason, stallMs });
    save.content.release();
    save.handedOver.resolve();
    this.#options.measured({ stallMs, bytes });
  }

  #giveUp(save: SaveInFlight, code: string, message: string): void {
    if (save.stage !== 'waiting') this.#options.post({ type: 'save-abort', id: save.id, code, message });
    this.#failed(save, code, message);
  }

  #failed(save: SaveInFlight, code: string, message: string): void {
    if (save.stage === 'waiting' || save.stage === 'reading') save.content.release();
    save.outcome.resolve({ status: 'failed', code, message, step: save.request.step });
    save.settled.resolve(false);
    this.#ended(save);
  }

  #ended(save: SaveInFlight): void {
    if (save.stage !== 'waiting') this.#budget.end(this.#options.now());
    save.stage = 'ended';
    save.handedOver.resolve();
    this.#saves = this.#saves.filter((other) => other !== save);
    this.#startFirst();
  }
}
