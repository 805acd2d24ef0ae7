/** Turns what the worker says into events of the machine, words for the operator, and rows of the index. */
import type { MessageOf, WorkerMessage } from '../protocol/messages.ts';
import type { WorkerReport } from './channel-server.ts';
import type { SaveFacts } from './events.ts';
import type { Happening } from './machine/event.ts';
import type { SessionContext } from './session-context.ts';
import { FailingSaves } from './warnings/failing-saves.ts';

/** Answers a checkpoint that failed while it was loaded. */
export type AnswerUnusable = (message: MessageOf<WorkerMessage, 'unusable'>) => void;

export class WorkerReports {
  readonly #context: SessionContext;
  readonly #dispatch: (happening: Happening) => void;
  readonly #answerUnusable: AnswerUnusable;
  readonly #failing: FailingSaves;
  #lastDurableAt: string | null;
  /** The same by the monotonic clock: the wall clock may be set while we run. */
  #lastDurableMs: number | null;
  #startStep = 0;
  /** Paths of the newest save that was told. Who asked is answered each for himself, but it is one save. */
  readonly #told: Partial<Record<'durable' | 'verified', string>> = {};
  /** As it is in the index, as text. */
  #report: string | null = null;
  #best: MessageOf<WorkerMessage, 'progress'>['best'] = null;
  #progressed: { readonly totalSteps: number | null; readonly loss: number | null } = { totalSteps: null, loss: null };
  /** When the last worker ended, until its successor's first step; null: nothing to recover from. */
  #downSinceMs: number | null = null;

  constructor(context: SessionContext, dispatch: (happening: Happening) => void, answerUnusable: AnswerUnusable) {
    this.#context = context;
    this.#dispatch = dispatch;
    this.#answerUnusable = answerUnusable;
    this.#failing = new FailingSaves(context.tell);
    this.#lastDurableAt = context.index.lastCheckpointAt();
    // Of an earlier run the wall clock alone tells; a time to come means that it was set.
    const ageMs = this.#lastDurableAt === null ? 0 : context.now().getTime() - Date.parse(this.#lastDurableAt);
    this.#lastDurableMs = this.#lastDurableAt === null ? null : context.nowMs() - Math.max(0, ageMs);
  }

  get lastDurableAt(): string | null {
    return this.#lastDurableAt;
  }

  /** Down since before we were started. */
  downFor(ms: number): void {
    this.#downSinceMs = this.#context.nowMs() - ms;
  }

  workerEnded(): void {
    this.#downSinceMs ??= this.#context.nowMs();
  }

  take(message: WorkerReport): void {
    switch (message.type) {
      case 'restored':
        this.#restored(message);
        break;
      case 'phase':
        this.#dispatch({ type: 'phase-changed', phase: message.phase });
        break;
      case 'progress':
        this.#progress(message);
        break;
      case 'acknowledged':
        this.#dispatch({ type: 'request-acknowledged', request: message.request });
        break;
      case 'save-started':
        this.#context.tell({ name: 'save-started', step: message.step, kinds: message.kinds, reason: message.reason });
        this.#dispatch({ type: 'save-started' });
        break;
      case 'saved':
        this.#saved(message);
        break;
      case 'save-failed':
        this.#saveFailed(message);
        break;
      case 'room':
        this.#room(message);
        break;
      case 'unusable':
        this.#answerUnusable(message);
        break;
      case 'diverged':
        this.#context.tell({ name: 'diverged', step: message.step, loss: message.loss, adapts: message.adapts });
        this.#dispatch({ type: 'diverged', step: message.step, loss: message.loss, adapts: message.adapts });
        break;
      case 'done':
        this.#done(message);
        break;
      case 'drilled':
        // Only a rehearsal's worker says it, and no supervisor of a session orders one.
        break;
      case 'notice':
        this.#context.tell({ name: 'notice', level: message.level, message: message.message });
        break;
      default:
        unreachable(message);
        break;
    }
  }

  #restored(message: MessageOf<WorkerMessage, 'restored'>): void {
    const { sequence, step, epoch, backend } = message;
    this.#startStep = step;
    this.#context.record.start(step);
    const { attempts: attempt } = this.#context.record.file;
    this.#context.index.noteFirstStep(attempt, step);
    this.#context.tell({ name: 'training-started', attempt, sequence, step, epoch, backend, restoreMs: message.ms });
  }

  #progress(message: MessageOf<WorkerMessage, 'progress'>): void {
    const { phase, step, lastStepAgeMs } = message;
    const { record, index } = this.#context;
    const attempt = record.file.attempts;
    record.reach(step);
    this.#progressed = { totalSteps: message.totalSteps, loss: message.loss };
    // Until the checkpoint is loaded its counter stands at 0, which is no step that the session is at.
    if (phase !== 'load' || step > 0) index.noteProgress({ ...this.#progressed, epoch: message.epoch, step });
    if (this.#downSinceMs !== null && step > this.#startStep) {
      const downMs = Math.max(0, this.#context.nowMs() - lastStepAgeMs - this.#downSinceMs);
      this.#downSinceMs = null;
      this.#context.tell({ name: 'recovered', attempt, step, downMs });
    }
    this.#noteBest(message.best);
    this.#noteReport(message.report);
    const { epoch, epochs, totalSteps, percent, loss, metrics, stepsPerSecond, skippedSaves, waiting } = message;
    this.#context.tell({
      name: 'progress',
      phase,
      epoch,
      epochs,
      step,
      totalSteps,
      percent,
      loss,
      metrics,
      stepsPerSecond,
      bestMetric: message.best,
      skippedSaves,
      waiting,
      report: message.report,
      memory: message.memory ?? null,
      lastDurableAt: this.#lastDurableAt,
      lastDurableAgeMs: this.#lastDurableMs === null ? null : this.#context.nowMs() - this.#lastDurableMs,
      attempt,
    });
    this.#dispatch({ type: 'progressed', phase, step, lastStepAgeMs, waiting: waiting !== null });
  }

  #room({ available, message, hint }: MessageOf<WorkerMessage, 'room'>): void {
    const code = 'disk-full';
    if (available) this.#context.tell({ name: 'warning-ended', code, message });
    else this.#context.tell({ name: 'warning', code, message, hint });
  }

  #noteBest(best: MessageOf<WorkerMessage, 'progress'>['best']): void {
    if (best === null || (best.name === this.#best?.name && best.value === this.#best.value)) return;
    this.#best = best;
    void this.#context.index.patchSession({ bestMetric: best });
  }

  #noteReport(report: MessageOf<WorkerMessage, 'progress'>['report']): void {
    if (report === null) return;
    const text = JSON.stringify(report);
    if (text === this.#report) return;
    this.#report = text;
    void this.#context.index.patchSession({ report });
  }

  /** The last steps came after the last progress report. */
  #done({ step, epoch }: MessageOf<WorkerMessage, 'done'>): void {
    const { record, index } = this.#context;
    record.reach(step);
    index.noteProgress({ ...this.#progressed, epoch, step });
    this.#dispatch({ type: 'worker-done' });
  }

  #saved(message: MessageOf<WorkerMessage, 'saved'>): void {
    const facts = saveFacts(message);
    const { record, index } = this.#context;
    const isNews = this.#told[message.state] !== message.path;
    this.#told[message.state] = message.path;
    if (isNews) index.noteSaved(message, record.file.attempts);
    if (message.state === 'verified') {
      if (isNews) this.#context.tell({ name: 'checkpoint-verified', ...facts });
      const { sequence, step, kinds } = message;
      this.#dispatch({ type: 'checkpoint-verified', sequence, step, kinds });
      return;
    }
    record.noteCommit(message.sequence, message.step, message.writeMs);
    if (message.step > record.reached.step) record.reach(message.step);
    this.#lastDurableAt = message.createdAt;
    this.#lastDurableMs = this.#context.nowMs();
    if (isNews) this.#context.tell({ name: 'saved', ...facts });
    this.#failing.durable(message.sequence, message.step);
    this.#dispatch({
      type: 'save-durable',
      request: message.request,
      sequence: message.sequence,
      step: message.step,
      tookMs: message.stallMs + message.writeMs,
    });
  }

  #saveFailed(message: MessageOf<WorkerMessage, 'save-failed'>): void {
    const { request, step, kinds, code } = message;
    this.#context.index.noteSaveFailed(message, this.#context.record.file.attempts);
    this.#context.tell({ name: 'save-failed', step, kinds, code, message: message.message });
    this.#failing.failed(message);
    this.#dispatch({ type: 'save-failed', request, code, message: message.message });
  }
}

function saveFacts(message: MessageOf<WorkerMessage, 'saved'>): SaveFacts {
  const { sequence, step, epoch, kinds, reason, bytes, digest, path, stallMs, writeMs } = message;
  return { sequence, step, epoch, kinds, reason, bytes, digest, path, stallMs, writeMs };
}

function unreachable(message: never): never {
  throw new TypeError(`no such message: ${JSON.stringify(message)}`);
}
