/** What each step and epoch leaves behind: counters, means, history, and the report for the operator's screen. */
import { NkatError } from '../errors.ts';
import type { ControlBlock } from './control-block.ts';
import { newsOfDroppedOutput } from './output-guard.ts';
import type { Periodic } from './periodic.ts';
import type { ReportedProgress } from './reported-progress.ts';
import type { Metrics } from './run.ts';
import type { RunMemory } from './run-memory.ts';
import type { TrainingState } from './state.ts';
import type { StepClock } from './step-clock.ts';
import { stepTotal } from './step-total.ts';
import type { ProgressFacts } from './thread/messages.ts';

/** Name of the learning rate among the columns of the step history. */
const LEARNING_RATE = 'learning-rate';
const REPORT_EVERY_MS = 500;

export interface ProgressNotesOptions {
  readonly memory: RunMemory;
  readonly control: ControlBlock;
  readonly clock: StepClock;
  readonly periodic: Periodic;
  readonly post: (facts: ProgressFacts) => void;
  /** A warning to the operator. */
  readonly say: (message: string) => void;
}

export class ProgressNotes {
  readonly #options: ProgressNotesOptions;
  /** Epochs that the trainer asked for; null: not yet known. */
  epochCount: number | null = null;
  /** Batches of the present pass; null before the first. */
  batchesInPass: number | null = null;
  /** They are smaller than the trainer asked for. */
  isScaled = false;
  #loss: number | null = null;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #state: TrainingState | null = null;

  constructor(options: ProgressNotesOptions) {
    this.#options = options;
  }

  /** Of the newest step; null when it was not given. */
  get loss(): number | null {
    return this.#loss;
  }

  /** @throws NkatError `usage` for a metric that is no number; then the step is not counted. */
  step(metrics: Metrics, state: TrainingState | null, nowMs: number): void {
    const { memory, clock } = this.#options;
    for (const [name, value] of Object.entries(metrics)) assertNumber(`step metric '${name}'`, value, 'step');
    memory.position.stepMade();
    clock.step(nowMs);
    for (const [name, value] of Object.entries(metrics)) {
      memory.means.add(name, value);
      memory.metrics[name] = value;
    }
    this.#state = state;
    const rate = state?.learningRate?.();
    memory.steps.append(rate === undefined ? metrics : { ...metrics, [LEARNING_RATE]: rate });
    this.#loss = metrics.loss ?? null;
    this.#signOfLife();
  }

  epoch(metrics: Metrics): void {
    const { memory, clock } = this.#options;
    memory.position.epochMade();
    memory.epochs.append(metrics);
    Object.assign(memory.metrics, metrics);
    clock.interrupted();
    this.#signOfLife();
  }

  /** A number of the moment: no part of what is trained. @throws NkatError `usage` */
  gauge(name: string, value: number): void {
    assertNumber(`the gauge '${name}'`, value, 'gauge');
    this.#options.memory.metrics[name] = value;
  }

  /** Work without epochs says how far it is: a sign of life like a step. */
  progress(report: ReportedProgress, nowMs: number): void {
    this.#options.memory.report = report;
    this.#signOfLife();
    this.reportIfDue(nowMs);
  }

  /** All is done, whatever the work said of itself last. */
  completed(nowMs: number): void {
    const { memory } = this.#options;
    if (memory.report === null || memory.report.percent === 100) return;
    memory.report = { ...memory.report, percent: 100 };
    this.report(nowMs);
  }

  reportIfDue(nowMs: number): void {
    if (nowMs - this.#reportedMs >= REPORT_EVERY_MS) this.report(nowMs);
  }

  report(nowMs: number): void {
    this.#reportedMs = nowMs;
    const { memory, periodic, post, say } = this.#options;
    const news = newsOfDroppedOutput();
    if (news !== null) say(news);
    const { position, metrics, best } = memory;
    post({
      type: 'progress-facts',
      best: best === null ? null : { name: best.metric, value: best.value },
      epochs: this.epochCount,
      totalSteps: stepTotal(position, this.epochCount, this.batchesInPass, this.isScaled),
      loss: this.#loss,
      metrics,
      skippedSaves: periodic.skipped,
      report: memory.report,
      memory: this.#memoryAfter(position.step),
    });
  }

  /** Taken at a boundary: what a step made and gave back is not in it. */
  #memoryAfter(step: number): ProgressFacts['memory'] {
    const figures = this.#state?.memory?.();
    return figures === undefined ? null : { step, figures };
  }

  #signOfLife(): void {
    const { control, memory } = this.#options;
    control.position(memory.position.step, memory.position.epoch);
    control.beat(process.hrtime.bigint());
  }
}

function assertNumber(what: string, value: unknown, operation: string): void {
  if (typeof value === 'number') return;
  throw new NkatError(`${what} is a ${typeof value}, not a number`, { code: 'usage', operation });
}
