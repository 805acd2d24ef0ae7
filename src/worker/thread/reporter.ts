/** The progress report: at most two a second while steps come, one a second while they do not. Invents no beats. */
import { type MessageOf, PHASES, type WorkerMessage } from '../../protocol/messages.ts';
import type { ControlBlock } from '../control-block.ts';
import type { ReportedProgress } from '../reported-progress.ts';
import type { ProgressFacts } from './messages.ts';

export const REPORT_EVERY_MS = 500;
const REPORT_AT_LEAST_MS = 1_000;
/** Weight of the newest measurement in the smoothed rate. */
const NEWEST_WEIGHT = 0.3;

export class Reporter {
  readonly #control: ControlBlock;
  readonly #send: (message: MessageOf<WorkerMessage, 'progress'>) => void;
  #facts: ProgressFacts | null = null;
  #sentAtMs = 0;
  #lastStep: number | null = null;
  /** When `#lastStep` was first seen. */
  #movedAtMs = 0;
  /** Where this launch started, until its first step was told. */
  #startStep: number | null = null;
  #stepsPerSecond: number | null = null;

  constructor(control: ControlBlock, send: (message: MessageOf<WorkerMessage, 'progress'>) => void) {
    this.#control = control;
    this.#send = send;
  }

  facts(facts: ProgressFacts): void {
    this.#facts = facts;
  }

  /** The counter was set to that of a checkpoint: no steps were made in between. */
  rebase(): void {
    this.#lastStep = null;
    this.#startStep = this.#control.step;
  }

  /** The first step of a launch is told at once: it ends the recovery, and says that the trainer does start. */
  firstStep(nowMs: number, now: bigint): void {
    if (this.#startStep === null || this.#control.step === this.#startStep) return;
    this.#startStep = null;
    this.sendNow(nowMs, now);
  }

  /** Out of turn: what was true when the process ended. */
  sendNow(nowMs: number, now: bigint): void {
    this.#sentAtMs = nowMs;
    this.#send(this.#message(this.#control.step, now));
  }

  /** Called twice a second with the monotonic time. */
  tick(nowMs: number, now: bigint): void {
    const step = this.#control.step;
    const moved = this.#lastStep !== null && step !== this.#lastStep;
    if (this.#lastStep !== null && nowMs > this.#movedAtMs) this.#rate(step - this.#lastStep, nowMs - this.#movedAtMs);
    if (step !== this.#lastStep) this.#movedAtMs = nowMs;
    this.#lastStep = step;
    if (moved || nowMs - this.#sentAtMs >= REPORT_AT_LEAST_MS - REPORT_EVERY_MS / 2) {
      this.sendNow(nowMs, now);
    }
  }

  /** Measured between two steps that were seen: in a step of many seconds the rate neither falls to nothing nor leaps. */
  #rate(steps: number, ms: number): void {
    // A resume moves the counter without a step being made.
    if (steps <= 0) return;
    const rate = (steps / ms) * 1_000;
    this.#stepsPerSecond =
      this.#stepsPerSecond === null ? rate : this.#stepsPerSecond + NEWEST_WEIGHT * (rate - this.#stepsPerSecond);
  }

  #message(step: number, now: bigint): MessageOf<WorkerMessage, 'progress'> {
    const totalSteps = this.#facts?.totalSteps ?? null;
    return {
      v: 1,
      type: 'progress',
      phase: PHASES[this.#control.phase] ?? 'load',
      epoch: this.#control.epoch,
      epochs: this.#facts?.epochs ?? null,
      step,
      totalSteps,
      percent: this.#facts?.report?.percent ?? percentOf(step, totalSteps),
      loss: this.#facts?.loss ?? null,
      metrics: this.#facts?.metrics ?? {},
      stepsPerSecond: this.#stepsPerSecond,
      best: this.#facts?.best ?? null,
      lastStepAgeMs: this.#control.beatAgeMs(now),
      skippedSaves: this.#facts?.skippedSaves ?? 0,
      memory: memoryOf(this.#facts),
      report: reportOf(this.#facts?.report ?? null),
      waiting: this.#control.waiting,
    };
  }
}

function percentOf(step: number, totalSteps: number | null): number | null {
  return totalSteps === null || totalSteps === 0 ? null : Math.min(100, (100 * step) / totalSteps);
}

function memoryOf(facts: ProgressFacts | null): NonNullable<MessageOf<WorkerMessage, 'progress'>['memory']> | null {
  const memory = facts?.memory ?? null;
  return memory === null ? null : { step: memory.step, figures: { ...memory.figures } };
}

function reportOf(report: ReportedProgress | null): MessageOf<WorkerMessage, 'progress'>['report'] {
  return report === null ? null : { ...report, results: { ...report.results } };
}
