/** The run that a trainer holds: notes each step and epoch, and hands over to the boundary where more is to be done. */
import { NkatError } from '../errors.ts';
import { type BatchOptions, batchCount, batchesOf, type TakingData } from './batches.ts';
import { type Listener, noState } from './boundary.ts';
import type { ControlBlock } from './control-block.ts';
import type { Ending } from './ending.ts';
import { Orders } from './orders.ts';
import type { DataFacts, PassStart } from './position.ts';
import type { RandomGenerator } from './random.ts';
import { reportedProgress } from './reported-progress.ts';
import type { BestByOptions, ManualSave, Metrics, ResumedFrom, Run } from './run.ts';
import { assembleRun, type RunParts } from './run-parts.ts';
import type { SaveOutcome } from './save-in-flight.ts';
import { SessionLink } from './session-link.ts';
import type { TrainingState } from './state.ts';
import type { SaveNews, SessionFacts, ThreadMode } from './thread/messages.ts';
import { EPOCH_OVER, NOT_AWAITED, SAVED_INSIDE_STEP } from './warnings.ts';

/** sysexits EX_CONFIG: the trainer was changed so that it cannot go on from its checkpoint. */
const EXIT_CONFIGURATION = 78;

export interface TrainingRunOptions {
  readonly script: URL;
  readonly mode: ThreadMode;
  readonly control: ControlBlock;
  readonly ending: Ending;
  readonly seed: number;
  /** The trainer takes a scaled learning rate after a divergence. */
  readonly adapts: boolean;
}

export class TrainingRun implements Run {
  readonly #options: TrainingRunOptions;
  readonly #facts: SessionFacts;
  readonly #link: SessionLink;
  readonly #parts: RunParts;
  #resumed: ResumedFrom | null;
  #restored: 'not' | 'under-way' | 'done' = 'not';
  #epochNoted = false;
  #inEpochs = false;
  #completed = false;

  /** Starts the SDK's thread and waits, however long, until the session is ours to train. */
  static async start(options: TrainingRunOptions): Promise<TrainingRun> {
    const orders = new Orders();
    let run: TrainingRun | null = null;
    const link = new SessionLink({
      ...options,
      orders,
      onSave: (message) => (run === null ? undefined : run.#savesNews(message)),
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
    const { resume } = facts;
    this.#resumed = resume === null ? null : { ...resume, insideEpoch: false, progress: null };
    options.ending.guard({
      thrown: (error) => this.#parts.lastSave.thrown(error),
      finish: (cause, timeoutMs) => this.#parts.lastSave.finish(this.#isOrderly ? null : cause, timeoutMs),
      stop: (order) => orders.orderStop(order),
      canStop: () => this.#restored === 'done' && !this.#completed && !this.#parts.boundary.stopping,
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

  get requireGpu(): boolean {
    return this.#facts.requireGpu;
  }

  get learningRateScale(): number {
    return this.#options.adapts ? this.#facts.learningRateScale : 1;
  }

  get resumed(): ResumedFrom | null {
    return this.#resumed;
  }

  get fresh(): boolean {
    return this.#resumed === null;
  }

  get random(): RandomGenerator {
    return this.#parts.memory.random.run.generator;
  }

  async restore(state: TrainingState): Promise<void> {
    if (this.#restored !== 'not') throw usage('run.restore was called before', 'restore');
    this.#restored = 'under-way';
    const startedAt = performance.now();
    state.scaleLearningRate?.(this.learningRateScale);
    const loaded = await this.#link.load();
    if (loaded.kind === 'loaded') {
      this.#fitting(() => this.#parts.memory.putBack(loaded.tensors, loaded.state, state));
      const { sequence } = loaded.point;
      const { step, epoch, insideEpoch } = this.#parts.memory.position;
      this.#resumed = { sequence, step, epoch, insideEpoch, progress: this.#parts.memory.report };
    } else this.#resumed = null;
    this.#parts.boundary.state = state;
    this.#restored = 'done';
    const { step, epoch } = this.#parts.memory.position;
    this.#options.control.position(step, epoch);
    this.#options.control.beat(process.hrtime.bigint());
    const sequence = this.#resumed?.sequence ?? null;
    const ms = performance.now() - startedAt;
    this.#link.post({ type: 'restored', sequence, step, epoch, backend: state.backend, ms });
    this.#parts.periodic.begun(performance.now());
    this.#parts.lastSave.startsAt(step);
    this.#boundaryMade();
  }

  *epochs(count: number): Generator<number, void, void> {
    if (!Number.isSafeInteger(count) || count < 0) throw usage(`epochs takes a whole number, not ${count}`, 'train');
    this.#parts.notes.epochCount = count;
    this.#inEpochs = true;
    while (this.epoch < count) {
      const { epoch } = this;
      this.#parts.memory.epochBegins();
      this.#boundaryMade();
      this.#epochNoted = false;
      yield epoch;
      // A trainer that has nothing to say at the end of an epoch may leave `epochEnd` out.
      if (!this.#epochNoted) this.#countEpoch({});
    }
    this.#parts.boundary.phase('eval');
  }

  batches<B>(data: TakingData<B>, options: BatchOptions): Generator<B, void, void>;
  batches<T>(data: ArrayLike<T>, options: BatchOptions): Generator<T[], void, void>;
  batches<T, B>(data: ArrayLike<T> | TakingData<B>, options: BatchOptions): Generator<T[] | B, void, void> {
    const { position } = this.#parts.memory;
    const { size, seed = this.#options.seed, drop = false } = options;
    return batchesOf(data, {
      epoch: this.epoch,
      options: { size, seed, drop },
      begin: (facts) => ({ start: this.#beginPass(facts), pass: position.pass }),
      yielded: (sample) => position.yielded(sample),
      ended: () => this.#parts.boundary.phase('eval'),
    });
  }

  step(metrics: Metrics = {}): Promise<void> | undefined {
    this.#parts.divergence.refuse();
    if (this.#link.broken !== null) throw this.#link.broken;
    const nowMs = performance.now();
    if (this.#inEpochs && this.#parts.memory.position.startsEpochOver) this.#parts.warnings.once(EPOCH_OVER);
    this.#parts.memory.mark.begin();
    this.#parts.notes.step(metrics, this.#parts.boundary.state, nowMs);
    const { step } = this.#parts.memory.position;
    const { loss } = this.#parts.notes;
    if (loss !== null && !Number.isFinite(loss)) return this.#parts.divergence.tell(step, loss);
    this.#parts.boundary.state?.afterStep?.(step);
    this.#boundaryMade();
    // A loop of the trainer's own has no batches that would say it.
    this.#parts.boundary.training();
    this.#parts.notes.reportIfDue(nowMs);
    if (this.#parts.turns.open) this.#parts.warnings.once(NOT_AWAITED);
    if (this.#link.pending) this.#link.drain();
    this.#parts.saver.step(this.#parts.clock.stepMs);
    const saved = this.#parts.periodic.due(step, nowMs) ? this.#parts.boundary.periodic(nowMs) : undefined;
    if (saved !== undefined || this.#parts.boundary.calls) return this.#obey(saved);
    return this.#parts.clock.yieldDue(nowMs) ? this.#parts.turns.yield(this.#parts.memory.mark.waits()) : undefined;
  }

  async epochEnd(metrics: Metrics = {}): Promise<void> {
    this.#parts.divergence.refuse();
    const { epoch } = this;
    this.#epochNoted = true;
    this.#countEpoch(metrics);
    const before = this.#parts.memory.best;
    const isBest = this.#parts.epochEnd.judge(metrics, epoch);
    this.#parts.notes.report(performance.now());
    const goesOn = this.#parts.memory.mark.waits();
    try {
      await this.#parts.turns.yield();
      await this.#parts.epochEnd.save(isBest, before);
      if (this.#parts.boundary.calls) await this.#obey();
    } finally {
      goesOn();
    }
  }

  async complete(): Promise<void> {
    this.#parts.divergence.refuse();
    if (this.#completed) return;
    this.#parts.notes.report(performance.now());
    this.#parts.boundary.phase('save');
    const final = this.#parts.boundary.state === null ? null : await this.#parts.boundary.final();
    this.#completed = true;
    const { step, epoch } = this.#parts.memory.position;
    this.#link.post({
      type: 'done',
      step,
      epoch,
      metrics: this.#parts.memory.metrics,
      sequence: final?.sequence ?? null,
    });
    this.#link.post({ type: 'ended', state: 'completed' });
    await this.#link.flush();
    this.#parts.boundary.phase('eval');
  }

  seedMathRandom(): void {
    this.#parts.memory.random.replaceMathRandom();
  }

  keep<T extends object>(name: string, object: T): T {
    this.#parts.memory.keep(name, object);
    return object;
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

  async save({ kind = 'manual', kinds = [kind], reason }: ManualSave = {}): Promise<SaveOutcome> {
    this.#parts.divergence.refuse();
    if (this.#parts.boundary.state === null) throw noState();
    const wrong = kinds.find((word) => !/^[a-z0-9-]{1,32}$/.test(word));
    if (wrong !== undefined || kinds.length === 0) throw usage(`'${wrong ?? ''}' is no kind: use [a-z0-9-]`, 'save');
    if (this.#parts.memory.position.batchOpen) this.#parts.warnings.once(SAVED_INSIDE_STEP);
    const wish = { kinds, reason: reason ?? null, requests: [] };
    const handle = await this.#parts.boundary.saveNow(wish, 'at-once');
    return this.#link.holding(handle.outcome);
  }

  on(event: 'pause' | 'stop', listener: Listener): void {
    this.#parts.boundary.listeners[event].push(listener);
  }

  #beginPass(facts: DataFacts): PassStart {
    const start = this.#fitting(() => this.#parts.memory.position.beginPass(facts));
    this.#parts.notes.batchesInPass = batchCount(facts);
    if (start.kind === 'completed') return start;
    if (start.takenUp) this.#parts.memory.takeUp();
    if (start.differs !== null) {
      this.#parts.warnings.say(`the data changed since the checkpoint: ${start.differs}`);
    }
    this.#parts.clock.interrupted();
    this.#parts.boundary.phase('train');
    return start;
  }

  /** A checkpoint that does not fit will not fit at the next launch either: the end that follows says so. */
  #fitting<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof NkatError && error.code === 'state-mismatch') {
        this.#options.ending.refusedWith(EXIT_CONFIGURATION);
        this.#parts.warnings.say(`${error.message}. ${error.hint ?? ''}`.trim(), 'error');
      }
      throw error;
    }
  }

  /** @param saved a save that is to be waited for first */
  #obey(saved?: Promise<unknown>): Promise<void> {
    return this.#parts.turns.obey(async () => {
      const goesOn = this.#parts.memory.mark.waits();
      // No turn without need: steps that nobody waits for let none happen.
      if (saved !== undefined) await saved;
      await this.#parts.boundary.obey();
      this.#parts.clock.interrupted();
      // What a listener changed is part of the boundary.
      this.#boundaryMade();
      goesOn();
    });
  }

  #countEpoch(metrics: Metrics): void {
    this.#parts.memory.mark.begin();
    this.#parts.notes.epoch(metrics);
    this.#boundaryMade();
  }

  /** From here on, until the trainer goes on, all is as a save of this boundary has it. */
  #boundaryMade(): void {
    this.#parts.memory.mark.made(this.#parts.boundary.state, this.#parts.clock.stepMs);
  }

  /** Nothing more is to be saved: all is done, a stop has saved, or what was trained since is worth nothing. */
  get #isOrderly(): boolean {
    return this.#completed || this.#parts.boundary.stopping || this.#parts.divergence.error !== null;
  }

  #savesNews(message: SaveNews): void {
    const { room, saver, periodic } = this.#parts;
    if (message.type === 'room' || message.type === 'save-durable') room.open();
    if (message.type === 'save-failed' && message.code === 'no-space') {
      room.close();
      periodic.owe();
    }
    if (message.type !== 'room') saver.receive(message);
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

function usage(message: string, operation: string): NkatError {
  return new NkatError(message, { code: 'usage', operation });
}
