/** The run that a trainer holds: notes each step and epoch, and hands over to the boundary where more is to be done. */
import { NkatError } from '../errors.ts';
import { type BatchOptions, batchCount, batchesOf, type TakingData } from './batches.ts';
import { type BestRule, bestAfter } from './best-model.ts';
import { Boundary, type Listener, noState } from './boundary.ts';
import type { ControlBlock } from './control-block.ts';
import type { Ending } from './ending.ts';
import { Orders } from './orders.ts';
import { Periodic } from './periodic.ts';
import type { DataFacts, PassStart } from './position.ts';
import { ProgressNotes } from './progress-notes.ts';
import type { RandomGenerator } from './random.ts';
import type { ManualSave, Metrics, ResumedFrom, Run } from './run.ts';
import { RunMemory } from './run-memory.ts';
import { dueAtEpoch, readBudgetMs } from './save-policy.ts';
import { type SaveOutcome, Saver } from './saver.ts';
import { SessionLink } from './session-link.ts';
import type { TrainingState } from './state.ts';
import { StepClock } from './step-clock.ts';
import type { SessionFacts, ThreadMode } from './thread/messages.ts';
import { Turns } from './turns.ts';

const NOT_AWAITED = 'run.step() was called again before it had resolved: await it, or pauses and stops come late';
const SAVED_INSIDE_STEP =
  'run.save() came between a batch and its run.step(): after a resume that batch is trained again; save after the step';

const EPOCH_OVER =
  'this checkpoint is from the middle of an epoch, which is trained again from its head: only run.batches() takes an epoch up in its middle; without it, save at epochs (--save-every-epochs 1)';

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
  readonly #control: ControlBlock;
  readonly #facts: SessionFacts;
  readonly #link: SessionLink;
  readonly #saver: Saver;
  readonly #memory: RunMemory;
  readonly #orders: Orders;
  readonly #boundary: Boundary;
  readonly #periodic: Periodic;
  readonly #clock = new StepClock();
  readonly #turns = new Turns(this.#clock);
  readonly #notes: ProgressNotes;
  readonly #warned = new Set<string>();
  #resumed: ResumedFrom | null;
  #restored: 'not' | 'under-way' | 'done' = 'not';
  #ownRule: BestRule | null = null;
  #epochNoted = false;
  #inEpochs = false;
  #completed = false;
  #diverged: NkatError | null = null;

  /** Starts the SDK's thread and waits, however long, until the session is ours to train. */
  static async start(options: TrainingRunOptions): Promise<TrainingRun> {
    const orders = new Orders();
    let run: TrainingRun | null = null;
    const link = new SessionLink({
      ...options,
      orders,
      onSave: (message) => (run === null ? undefined : run.#saver.receive(message)),
      onFacts: (facts) => (run === null ? undefined : run.#newPolicy(facts)),
      onCrash: (why) => (run === null ? undefined : run.#saver.lost(why)),
    });
    run = new TrainingRun(options, await link.welcomed(), link, orders);
    return run;
  }

  private constructor(options: TrainingRunOptions, facts: SessionFacts, link: SessionLink, orders: Orders) {
    this.#options = options;
    this.#control = options.control;
    this.#facts = facts;
    this.#link = link;
    this.#orders = orders;
    this.#memory = new RunMemory(options.seed);
    this.#periodic = new Periodic(facts.policy, performance.now());
    this.#saver = new Saver(
      (message, transfer) => link.post(message, transfer),
      () => performance.now(),
      ({ stallMs, bytes }) => this.#periodic.measured(stallMs, bytes),
    );
    this.#boundary = new Boundary({
      control: options.control,
      link,
      orders,
      saver: this.#saver,
      memory: this.#memory,
      periodic: () => this.#periodic,
    });
    this.#notes = new ProgressNotes({
      memory: this.#memory,
      control: options.control,
      clock: this.#clock,
      periodic: this.#periodic,
      post: (facts) => link.post(facts),
    });
    const { resume } = facts;
    this.#resumed = resume === null ? null : { ...resume, insideEpoch: false };
    options.ending.guard({
      finishSave: (timeoutMs) => this.#finishSave(timeoutMs),
      stop: (order) => this.#orders.orderStop(order),
      canStop: () => this.#restored === 'done' && !this.#completed && !this.#boundary.stopping,
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
    return this.#memory.position.step;
  }

  get epoch(): number {
    return this.#memory.position.epoch;
  }

  get requireGpu(): boolean {
    return this.#facts.requireGpu;
  }

  get resumed(): ResumedFrom | null {
    return this.#resumed;
  }

  get fresh(): boolean {
    return this.#resumed === null;
  }

  get random(): RandomGenerator {
    return this.#memory.random.run.generator;
  }

  async restore(state: TrainingState): Promise<void> {
    if (this.#restored !== 'not') throw usage('run.restore was called before', 'restore');
    this.#restored = 'under-way';
    const startedAt = performance.now();
    const loaded = await this.#link.load();
    if (loaded.kind === 'loaded') {
      this.#memory.putBack(loaded.tensors, loaded.state, state);
      const { sequence } = loaded.point;
      const { step, epoch, insideEpoch } = this.#memory.position;
      this.#resumed = { sequence, step, epoch, insideEpoch };
    } else this.#resumed = null;
    this.#boundary.state = state;
    this.#restored = 'done';
    const { step, epoch } = this.#memory.position;
    this.#control.position(step, epoch);
    this.#control.beat(process.hrtime.bigint());
    const sequence = this.#resumed?.sequence ?? null;
    const ms = performance.now() - startedAt;
    this.#link.post({ type: 'restored', sequence, step, epoch, backend: state.backend, ms });
    this.#periodic.begun(performance.now());
  }

  *epochs(count: number): Generator<number, void, void> {
    if (!Number.isSafeInteger(count) || count < 0) throw usage(`epochs takes a whole number, not ${count}`, 'train');
    this.#notes.epochCount = count;
    this.#inEpochs = true;
    while (this.epoch < count) {
      const { epoch } = this;
      this.#memory.epochBegins();
      this.#epochNoted = false;
      yield epoch;
      // A trainer that has nothing to say at the end of an epoch may leave `epochEnd` out.
      if (!this.#epochNoted) this.#notes.epoch({});
    }
    this.#boundary.phase('eval');
  }

  batches<B>(data: TakingData<B>, options: BatchOptions): Generator<B, void, void>;
  batches<T>(data: ArrayLike<T>, options: BatchOptions): Generator<T[], void, void>;
  batches<T, B>(data: ArrayLike<T> | TakingData<B>, options: BatchOptions): Generator<T[] | B, void, void> {
    const { position } = this.#memory;
    const { size, seed = this.#options.seed, drop = false } = options;
    return batchesOf(data, {
      epoch: this.epoch,
      options: { size, seed, drop },
      begin: (facts) => ({ start: this.#beginPass(facts), pass: position.pass }),
      yielded: (sample) => position.yielded(sample),
      ended: () => this.#boundary.phase('eval'),
    });
  }

  step(metrics: Metrics = {}): Promise<void> | undefined {
    if (this.#diverged !== null) throw this.#diverged;
    if (this.#link.broken !== null) throw this.#link.broken;
    const nowMs = performance.now();
    if (this.#inEpochs && this.#memory.position.startsEpochOver) this.#warnOnce(EPOCH_OVER);
    this.#notes.step(metrics, this.#boundary.state, nowMs);
    const { step } = this.#memory.position;
    const { loss } = this.#notes;
    if (loss !== null && !Number.isFinite(loss)) return this.#divergedAt(step, loss);
    this.#boundary.state?.afterStep?.(step);
    // A loop of the trainer's own has no batches that would say it.
    this.#boundary.training();
    this.#notes.reportIfDue(nowMs);
    if (this.#turns.open) this.#warnOnce(NOT_AWAITED);
    if (this.#link.pending) this.#link.drain();
    this.#saver.advance(readBudgetMs(this.#clock.stepMs));
    if (this.#periodic.due(step, nowMs)) this.#boundary.periodic(nowMs);
    if (this.#orders.any) return this.#obey();
    return this.#clock.yieldDue(nowMs) ? this.#turns.yield() : undefined;
  }

  async epochEnd(metrics: Metrics = {}): Promise<void> {
    if (this.#diverged !== null) throw this.#diverged;
    const { epoch } = this;
    this.#epochNoted = true;
    this.#notes.epoch(metrics);
    const kinds: string[] = [];
    const rule = this.#periodic.policy.best ?? this.#ownRule;
    const value = rule === null ? undefined : (metrics[rule.metric] ?? this.#memory.means.known(rule.metric));
    const best = bestAfter(this.#memory.best, rule, value, epoch);
    const bestBefore = this.#memory.best;
    if (best !== bestBefore) kinds.push('best');
    this.#memory.best = best;
    this.#notes.report(performance.now());
    await this.#turns.yield();
    if (this.#boundary.state !== null) {
      const periodic = dueAtEpoch(this.#periodic.policy, this.epoch);
      if (kinds.length > 0) {
        const wish = { kinds: periodic ? ['auto', ...kinds] : kinds, reason: null, requests: [] };
        const { outcome } = await this.#boundary.saveNow(wish);
        // A best model that could not be saved is not the one to beat.
        void outcome.then(({ status }) => {
          if (status === 'failed' && this.#memory.best === best) this.#memory.best = bestBefore;
        });
      } else if (periodic) this.#boundary.periodic(performance.now());
    }
    if (this.#orders.any) await this.#obey();
  }

  async complete(): Promise<void> {
    if (this.#diverged !== null) throw this.#diverged;
    if (this.#completed) return;
    this.#boundary.phase('save');
    const final = this.#boundary.state === null ? null : await this.#boundary.final();
    this.#completed = true;
    const { step, epoch } = this.#memory.position;
    this.#link.post({ type: 'done', step, epoch, metrics: this.#memory.metrics, sequence: final?.sequence ?? null });
    this.#link.post({ type: 'ended', state: 'completed' });
    await this.#link.flush();
    this.#boundary.phase('eval');
  }

  seedMathRandom(): void {
    this.#memory.random.replaceMathRandom();
  }

  keep<T extends object>(name: string, object: T): T {
    this.#memory.keep(name, object);
    return object;
  }

  mean(metric: string): number {
    return this.#memory.means.mean(metric);
  }

  history(metric: string): Float64Array<ArrayBuffer> {
    return this.#memory.steps.column(metric);
  }

  epochHistory(metric: string): Float64Array<ArrayBuffer> {
    return this.#memory.epochs.column(metric);
  }

  phase(name: 'load' | 'compile' | 'train' | 'eval'): void {
    this.#clock.interrupted();
    this.#boundary.phase(name);
  }

  bestBy(metric: string, mode: 'min' | 'max'): void {
    this.#ownRule = { metric, mode };
  }

  async save({ kind = 'manual', kinds = [kind], reason }: ManualSave = {}): Promise<SaveOutcome> {
    if (this.#diverged !== null) throw this.#diverged;
    if (this.#boundary.state === null) throw noState();
    const wrong = kinds.find((word) => !/^[a-z0-9-]{1,32}$/.test(word));
    if (wrong !== undefined || kinds.length === 0) throw usage(`'${wrong ?? ''}' is no kind: use [a-z0-9-]`, 'save');
    if (this.#memory.position.batchOpen) this.#warnOnce(SAVED_INSIDE_STEP);
    const handle = await this.#boundary.saveNow({ kinds, reason: reason ?? null, requests: [] });
    return this.#link.holding(handle.outcome);
  }

  on(event: 'pause' | 'stop', listener: Listener): void {
    this.#boundary.listeners[event].push(listener);
  }

  #beginPass(facts: DataFacts): PassStart {
    const start = this.#memory.position.beginPass(facts);
    this.#notes.batchesInPass = batchCount(facts);
    if (start.kind === 'completed') return start;
    if (start.takenUp) this.#memory.takeUp();
    if (start.differs !== null) {
      this.#link.post({
        type: 'notice',
        level: 'warning',
        message: `the data changed since the checkpoint: ${start.differs}`,
      });
    }
    this.#clock.interrupted();
    this.#boundary.phase('train');
    return start;
  }

  async #divergedAt(step: number, loss: number): Promise<void> {
    const word = Number.isNaN(loss) ? 'NaN' : loss > 0 ? 'Infinity' : '-Infinity';
    this.#diverged = new NkatError(`the loss is ${word} at step ${step}`, {
      code: 'diverged',
      operation: 'train',
      hint: 'Nothing was saved since. Lower the learning rate, or look at the data of this step.',
    });
    this.#link.post({ type: 'diverged', step, loss: word, adapts: this.#options.adapts });
    await this.#link.flush();
    throw this.#diverged;
  }

  #obey(): Promise<void> {
    return this.#turns.obey(async () => {
      await this.#boundary.obey();
      this.#clock.interrupted();
    });
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#link.post({ type: 'notice', level: 'warning', message });
  }

  #newPolicy({ policy }: SessionFacts): void {
    this.#periodic.policy = policy;
  }

  /** In the exit handler: nothing but synchronous work is left. */
  #finishSave(timeoutMs: number): void {
    if (!this.#saver.idle) {
      try {
        this.#saver.hurry();
      } catch {
        // The state can no longer be read; the saver has given the save up and said so.
      }
      this.#link.drainUntil(() => this.#saver.idle, timeoutMs);
    }
    // How far it came is news too: the supervisor classifies a trainer that never made a step differently.
    this.#link.flushNow(LAST_WORDS_MS);
  }
}

/** How long an ending process waits until its last report was sent. */
const LAST_WORDS_MS = 500;

function usage(message: string, operation: string): NkatError {
  return new NkatError(message, { code: 'usage', operation });
}
