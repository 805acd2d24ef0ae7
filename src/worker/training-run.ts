/** The run that a trainer holds: notes each step and epoch, and hands over to the boundary where more is to be done. */
import type { BatchOptions, TakingData } from './batches.ts';
import { Completion } from './completion.ts';
import type { ControlBlock } from './control-block.ts';
import { DrillEnd } from './drill-end.ts';
import { type Ending, EXIT_CONFIGURATION } from './ending.ts';
import { finishEpoch } from './epoch-finish.ts';
import { EpochLoop } from './epoch-loop.ts';
import type { Listener } from './listeners.ts';
import { saveByHand } from './manual-save.ts';
import { obeyAll } from './obeying.ts';
import { Orders } from './orders.ts';
import type { RandomGenerator } from './random.ts';
import { reportedProgress } from './reported-progress.ts';
import { Restoration } from './restoration.ts';
import type { BestByOptions, EpochOptions, ManualSave, Metrics, ResumedFrom, Run } from './run.ts';
import { assembleRun, markBoundary, type RunParts } from './run-parts.ts';
import type { SaveOutcome } from './save-in-flight.ts';
import { hearOfSave } from './save-news.ts';
import { SessionLink } from './session-link.ts';
import type { TrainingState } from './state.ts';
import type { SessionFacts, ThreadMode } from './thread/messages.ts';
import { usage } from './usage.ts';
import { NOT_AWAITED } from './warnings.ts';

export interface TrainingRunOptions {
  readonly script: URL;
  readonly mode: ThreadMode;
  readonly control: ControlBlock;
  readonly ending: Ending;
  readonly seed: number;
  /** The trainer takes a scaled learning rate after a divergence. */
  readonly adapts: boolean;
  /** The trainer takes smaller batches where a card's memory was full. */
  readonly adaptsBatch: boolean;
}

export class TrainingRun implements Run {
  readonly #options: TrainingRunOptions;
  readonly #facts: SessionFacts;
  readonly #link: SessionLink;
  readonly #parts: RunParts;
  readonly #restoration: Restoration;
  readonly #loop: EpochLoop;
  /** Null: this is no rehearsal. */
  readonly #drill: DrillEnd | null;
  readonly #completion: Completion;

  /** Starts the SDK's thread and waits, however long, until the session is ours to train. */
  static async start(options: TrainingRunOptions): Promise<TrainingRun> {
    const orders = new Orders();
    let run: TrainingRun | null = null;
    const link = new SessionLink({
      ...options,
      orders,
      onSave: (message) => (run === null ? undefined : hearOfSave(run.#parts, message)),
      onFacts: (facts) => (run === null ? undefined : run.#newPolicy(facts)),
      onCrash: (why) => (run === null ? undefined : run.#threadLost(why)),
    });
    run = new TrainingRun(options, await link.welcomed(), link, orders);
    return run;
  }

  private constructor(options: TrainingRunOptions, facts: SessionFacts, link: SessionLink, orders: Orders) {
    this.#options = options;
    this.#facts = facts;
    this.#link = link;
    this.#parts = assembleRun(options, facts, link, orders);
    const { control, ending, seed } = options;
    const parts = this.#parts;
    this.#restoration = new Restoration({ parts, link, control, ending, resume: facts.resume });
    this.#loop = new EpochLoop({ parts, ending, seed, batchScale: this.batchScale });
    this.#drill = facts.drill === null ? null : new DrillEnd({ order: facts.drill, parts, link, ending });
    this.#completion = new Completion({ parts, link, drill: this.#drill });
    ending.guard({
      thrown: (error) => this.#parts.lastSave.thrown(error),
      finish: (cause, timeoutMs) => this.#parts.lastSave.finish(this.#isOrderly ? null : cause, timeoutMs),
      stop: (order) => orders.orderStop(order),
      stopArrivedAt: () => orders.stop?.arrivedAt ?? null,
      canStop: () => this.#restoration.isDone && !this.#completion.isDone && !this.#parts.boundary.stopping,
    });
  }

  get session(): string {
    return this.#facts.session;
  }

  get attempt(): number {
    return this.#facts.attempt;
  }

  get directory(): string {
    return this.#facts.directory;
  }

  get steps(): number {
    return this.#parts.memory.position.step;
  }

  get epoch(): number {
    return this.#parts.memory.position.epoch;
  }

  get drilling(): boolean {
    return this.#drill !== null;
  }

  get requireGpu(): boolean {
    return this.#facts.requireGpu;
  }

  get learningRateScale(): number {
    return this.#options.adapts ? this.#facts.learningRateScale : 1;
  }

  get batchScale(): number {
    return this.#options.adaptsBatch ? this.#facts.batchScale : 1;
  }

  get resumed(): ResumedFrom | null {
    return this.#restoration.resumed;
  }

  get fresh(): boolean {
    return this.resumed === null;
  }

  get random(): RandomGenerator {
    return this.#parts.memory.random.run.generator;
  }

  restore(state: TrainingState): Promise<void> {
    return this.#restoration.of(state, this.learningRateScale);
  }

  epochs(count: number, options: EpochOptions = {}): Generator<number, void, void> {
    return this.#loop.epochs(count, options);
  }

  stepsLeft(): Generator<number, void, void> {
    return this.#loop.stepsLeft();
  }

  batches<B>(data: TakingData<B>, options: BatchOptions): Generator<B, void, void>;
  batches<T>(data: ArrayLike<T>, options: BatchOptions): Generator<T[], void, void>;
  batches<T, B>(data: ArrayLike<T> | TakingData<B>, options: BatchOptions): Generator<T[] | B, void, void> {
    return this.#loop.batches(data, options);
  }

  step(metrics: Metrics = {}): Promise<void> | undefined {
    this.#parts.divergence.refuse();
    if (this.#link.broken !== null) throw this.#link.broken;
    const nowMs = performance.now();
    this.#loop.stepping();
    this.#parts.memory.mark.begin();
    this.#parts.notes.step(metrics, this.#parts.boundary.state, nowMs);
    this.#loop.stepped();
    const { step } = this.#parts.memory.position;
    const { loss } = this.#parts.notes;
    if (loss !== null && !Number.isFinite(loss)) return this.#parts.divergence.tell(step, loss);
    this.#parts.boundary.state?.afterStep?.(step);
    markBoundary(this.#parts);
    // A loop of the trainer's own has no batches that would say it.
    this.#parts.boundary.training();
    this.#parts.notes.reportIfDue(nowMs);
    this.#parts.orders.throttle.stepMade(nowMs);
    if (this.#drill?.isReached === true) return this.#drill.end(false);
    if (this.#parts.turns.open) this.#parts.warnings.once(NOT_AWAITED);
    if (this.#link.pending) this.#link.drain();
    this.#parts.saver.step(this.#parts.clock.stepMs);
    const saved = this.#parts.periodic.due(step, nowMs) ? this.#parts.boundary.periodic(nowMs) : undefined;
    if (saved !== undefined || this.#parts.boundary.calls) return obeyAll(this.#parts, saved);
    return this.#parts.clock.yieldDue(nowMs) ? this.#parts.turns.yield(this.#parts.memory.mark.waits()) : undefined;
  }

  epochEnd(metrics: Metrics = {}): Promise<void> {
    return finishEpoch(this.#parts, this.#loop, this.#drill, metrics);
  }

  complete(): Promise<void> {
    return this.#completion.complete();
  }

  seedMathRandom(): void {
    this.#parts.memory.random.replaceMathRandom();
  }

  keep<T extends object>(name: string, object: T): T {
    this.#parts.memory.keep(name, object);
    return object;
  }

  gauge(name: string, value: number): void {
    this.#parts.notes.gauge(name, value);
  }

  refuse(message: string, hint?: string): never {
    return this.#options.ending.exit(EXIT_CONFIGURATION, hint === undefined ? message : `${message}. ${hint}`);
  }

  mean(metric: string): number {
    return this.#parts.memory.means.mean(metric);
  }

  history(metric: string): Float64Array<ArrayBuffer> {
    return this.#parts.memory.steps.column(metric);
  }

  epochHistory(metric: string): Float64Array<ArrayBuffer> {
    return this.#parts.memory.epochs.column(metric);
  }

  progress(percent: number, stage: string | null = null, results: Metrics = {}): void {
    this.#parts.notes.progress(reportedProgress(percent, stage, results), performance.now());
  }

  phase(name: 'load' | 'compile' | 'train' | 'eval'): void {
    this.#parts.clock.interrupted();
    this.#parts.boundary.phase(name);
  }

  bestBy(metric: string, mode: 'min' | 'max', { minDelta = 0 }: BestByOptions = {}): void {
    if (!(minDelta >= 0)) throw usage(`minDelta must be a number from 0, not ${minDelta}`, 'choose the best model');
    this.#parts.epochEnd.ownRule = { metric, mode, minDelta };
  }

  save(options: ManualSave = {}): Promise<SaveOutcome> {
    return saveByHand(this.#parts, options);
  }

  on(event: 'pause' | 'stop' | 'release', listener: Listener): void {
    this.#parts.boundary.listeners[event].push(listener);
  }

  /** Nothing more is to be saved: all is done, a stop has saved, or what was trained since is worth nothing. */
  get #isOrderly(): boolean {
    return this.#completion.isDone || this.#parts.boundary.stopping || this.#parts.divergence.error !== null;
  }

  #threadLost(why: string): void {
    this.#parts.saver.lost(why);
    // Whoever watched the disk is gone: the next save finds out.
    this.#parts.room.open();
  }

  #newPolicy({ policy }: SessionFacts): void {
    this.#parts.periodic.policy = policy;
  }
}
