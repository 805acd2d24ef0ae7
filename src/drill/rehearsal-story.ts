/** What a rehearsed trainer tells, put together as it comes. */
import type { MessageOf, WorkerMessage } from '../protocol/messages.ts';
import type { Hello, WorkerReport } from '../supervisor/channel-server.ts';
import type { WorkerEnd } from '../supervisor/worker-end.ts';
import type { RehearsalEnd, RehearsalRequest } from './rehearsal-request.ts';
import type { Rehearsal } from './types.ts';

type RequestPart = Pick<RehearsalRequest, 'resume' | 'until' | 'limits' | 'onProgress'>;

export class RehearsalStory {
  readonly #request: RequestPart;
  readonly #startedMs: number;
  /** Resolves when it trains on past the boundary that it was asked to end at. */
  readonly passed: Promise<void>;
  /** Resolves when its connection is closed, and all that it sent was read. */
  readonly heardOut: Promise<void>;
  /** Resolves at its first step past the checkpoint. */
  readonly stepped: Promise<void>;
  #hasPassed = (): void => undefined;
  #hasLeft = (): void => undefined;
  #hasStepped = (): void => undefined;
  #hello: Hello | null = null;
  #restoredMs: number | null = null;
  #firstStepMs: number | null = null;
  #backend: string | null = null;
  #versions: Readonly<Record<string, string>> = {};
  #reachedStep: number | null = null;
  #drilled: MessageOf<WorkerMessage, 'drilled'> | null = null;
  #saved: RehearsalEnd['saved'] = null;
  #isBeyond = false;
  #acknowledged: number | null = null;
  #refusedSaves = 0;
  readonly #failures: string[] = [];
  readonly #warnings: string[] = [];

  constructor(request: RequestPart, startedMs: number) {
    this.#request = request;
    this.#startedMs = startedMs;
    this.passed = new Promise((resolve) => {
      this.#hasPassed = resolve;
    });
    this.heardOut = new Promise((resolve) => {
      this.#hasLeft = resolve;
    });
    this.stepped = new Promise((resolve) => {
      this.#hasStepped = resolve;
    });
  }

  get isConnected(): boolean {
    return this.#hello !== null;
  }

  /** @param killMs see {@link RehearsalEnd} */
  ended(rehearsal: Rehearsal, killMs: number | null): RehearsalEnd {
    const told = { saved: this.#saved, acknowledged: this.#acknowledged, refusedSaves: this.#refusedSaves };
    return { rehearsal, ...told, killMs };
  }

  connected(hello: Hello): void {
    this.#hello = hello;
    this.#request.onProgress('the trainer has connected');
  }

  disconnected(): void {
    this.#hasLeft();
  }

  problem(text: string): void {
    this.#warnings.push(text);
  }

  take(message: WorkerReport, nowMs: number): void {
    switch (message.type) {
      case 'restored':
        this.#restoredMs = nowMs;
        this.#backend = message.backend;
        this.#versions = message.versions ?? {};
        this.#reachedStep = message.step;
        if (message.sequence === null) this.#failures.push('it began from zero instead of from the checkpoint');
        return;
      case 'progress':
        this.#reached(message.step, nowMs);
        return;
      case 'drilled':
        this.#drilled = message;
        this.#reached(message.step, nowMs);
        return;
      case 'saved':
        this.#acknowledged = Math.max(this.#acknowledged ?? 0, message.sequence);
        if (message.kinds.includes('drill')) this.#saved = { path: message.path, sequence: message.sequence };
        return;
      case 'save-failed':
        if (message.code === 'no-space') this.#refusedSaves += 1;
        if (message.code === 'no-space' && this.#request.until.fullDisk) return;
        this.#warnings.push(`a save into the scratch folder failed (${message.code}): ${message.message}`);
        return;
      case 'unusable':
        this.#failures.push(`it could not be loaded: ${message.reason}`);
        return;
      case 'diverged':
        this.#failures.push(`the loss was ${message.loss} at step ${message.step}`);
        return;
      case 'notice':
        if (message.level !== 'info') this.#warnings.push(message.message);
        return;
      default:
        return;
    }
  }

  notLaunched(reason: string): Rehearsal {
    return this.#rehearsal('failed', `the trainer could not be launched: ${reason}`, []);
  }

  /** @param lines what it printed last */
  told(
    end: WorkerEnd | 'limit' | 'no-connection' | 'passed' | 'killed' | 'memory',
    lines: readonly string[],
  ): Rehearsal {
    const [failure] = this.#failures;
    if (failure !== undefined) return this.#rehearsal('failed', failure, lines);
    if (end === 'memory') return this.#rehearsal('failed', 'the trainer needed more memory than that', lines);
    if (this.#drilled !== null) return this.#rehearsal('done', null, []);
    if (end === 'killed') return this.#rehearsal('killed', null, []);
    if (end === 'passed') return this.#old();
    const { connectMs, totalMs } = this.#request.limits;
    if (end === 'no-connection') {
      const reason = `the trainer did not connect within ${seconds(connectMs)}: does it call connect() of nkat-recover/worker?`;
      return this.#rehearsal('timed-out', reason, lines);
    }
    if (end === 'limit') return this.#rehearsal('timed-out', this.#whereStuck(totalMs), lines);
    const how = end.signal ?? `exit code ${end.code}`;
    const when =
      this.#hello === null ? 'before it connected' : this.#restoredMs === null ? 'while it restored' : 'in its step';
    return this.#rehearsal('failed', `the trainer ended with ${how} ${when}${cause(lines)}`, lines);
  }

  /** An SDK of an earlier release trains on: what it did proves as much, only its end is not its own. */
  #old(): Rehearsal {
    const sdk = this.#hello?.sdk ?? 'unknown';
    this.#warnings.push(`the SDK of the trainer (${sdk}) knows of no drills, so it was ended after its first steps`);
    const reason = this.#request.until.save ? 'its SDK cannot stop at a step' : null;
    return this.#rehearsal(reason === null ? 'done' : 'failed', reason, []);
  }

  #whereStuck(totalMs: number): string {
    const { resume } = this.#request;
    const limit = `within ${seconds(totalMs)}`;
    if (this.#restoredMs === null) return `the state was not put back ${limit}`;
    if ((this.#reachedStep ?? 0) <= resume.step) return `no step was made ${limit}`;
    return `it came to step ${this.#reachedStep} of ${this.#request.until.step} ${limit}`;
  }

  #reached(step: number, nowMs: number): void {
    this.#reachedStep = Math.max(step, this.#reachedStep ?? 0);
    if (this.#restoredMs !== null && step > this.#request.resume.step) {
      this.#firstStepMs ??= nowMs;
      this.#hasStepped();
    }
    this.#request.onProgress(`the trainer is at step ${step}`);
    if (step <= this.#request.until.step || this.#drilled !== null || this.#isBeyond) return;
    this.#isBeyond = true;
    this.#hasPassed();
  }

  #rehearsal(outcome: Rehearsal['outcome'], reason: string | null, lines: readonly string[]): Rehearsal {
    const { resume } = this.#request;
    const restored = this.#restoredMs;
    const first = this.#firstStepMs;
    return {
      outcome,
      reason,
      from: resume.sequence,
      backend: this.#backend,
      versions: this.#versions,
      restoreMs: restored === null ? null : restored - this.#startedMs,
      firstStepMs: first === null || restored === null ? null : first - restored,
      reachedStep: this.#reachedStep,
      loss: this.#drilled?.loss ?? null,
      completed: this.#drilled?.completed ?? false,
      lastLines: lines,
      warnings: this.#warnings,
    };
  }
}

function cause(lines: readonly string[]): string {
  // The message, not the line of the source that Node shows above it.
  const named = lines.find((text) => /^\s*(?:Uncaught )?(?:\w+\.)*\w*(?:Error|Exception)\b/.test(text));
  const told = named ?? lines.find((text) => /error/i.test(text)) ?? lines.at(-1);
  return told === undefined ? '' : `: ${told.trim().slice(0, 300)}`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}
