/** The channel to the worker of the present attempt: who is connected, what it is welcomed with, when it is drained. */
import type { TrainerFacts } from '../checkpoint/types.ts';
import type { SendOutcome } from '../protocol/connection.ts';
import { type MessageOf, PROTOCOL_VERSION, type SupervisorMessage } from '../protocol/messages.ts';
import { ChannelServer, type Hello, type Refusal, type WorkerReport } from './channel-server.ts';
import type { Happening } from './machine/event.ts';
import { batchScale, learningRateScale } from './machine/restart-policy.ts';
import type { ChosenPoint } from './resume-point.ts';
import type { SessionContext } from './session-context.ts';
import { silence } from './silence.ts';
import { isForeign, WorkerGate } from './worker-gate.ts';

type WithoutVersion<M> = M extends unknown ? Omit<M, 'v'> : never;

export interface WorkerLineOptions {
  readonly context: SessionContext;
  readonly token: string;
  readonly trainer: TrainerFacts;
  /** The worker keeps the policy that it has: this is a command that asks for one thing, not its new supervisor. */
  readonly keepPolicy: boolean;
  readonly dispatch: (happening: Happening) => void;
  readonly onMessage: (message: WorkerReport) => void;
  /** While it is true, nothing is read. */
  readonly isBusy: () => boolean;
  readonly onDisconnected: () => void;
}

export class WorkerLine {
  readonly #options: WorkerLineOptions;
  readonly #channel: ChannelServer;
  readonly #gate: WorkerGate;
  #connected = false;
  #received = 0;
  /** When the last step was, as far as the worker told. */
  #stepAtMs: number | null = null;
  #onDisconnected: (() => void) | null = null;

  constructor(options: WorkerLineOptions) {
    this.#options = options;
    const { tell, layout } = options.context;
    this.#gate = new WorkerGate(layout.session);
    this.#channel = new ChannelServer({
      session: layout.session,
      token: options.token,
      mayConnect: (hello) => this.#refusalOf(hello),
      onHello: (hello) => this.#hello(hello),
      onMessage: (message) => this.#receive(message),
      onStop: ({ reason }) => this.#stop(reason),
      isBusy: options.isBusy,
      onDisconnected: () => this.#closed(),
      onProblem: (message) => tell({ name: 'notice', level: 'warning', message }),
    });
  }

  listen(): Promise<void> {
    return this.#channel.listen();
  }

  /** Before a launch: a worker that finds no socket ends itself. */
  async ensureReachable(): Promise<void> {
    if (await this.#channel.listenAgain()) {
      const message = 'the socket of this session had been removed, and was made again';
      this.#options.context.tell({ name: 'notice', level: 'warning', message });
    }
  }

  close(): Promise<void> {
    return this.#channel.close();
  }

  /** `closed`: no worker is connected. */
  send(message: WithoutVersion<SupervisorMessage>): SendOutcome {
    return this.#channel.sendToWorker({ v: PROTOCOL_VERSION, ...message });
  }

  /** To a worker that was welcomed before, only the claim in it is news. */
  welcome(point: ChosenPoint | null): void {
    const { layout, claim, settings, record } = this.#options.context;
    const { save, asyncSave, best, bestMinDelta, keep, maxBytes, requireGpu, onFullDisk } = settings;
    const { path, args, sourceDigest } = this.#options.trainer;
    this.send({
      type: 'welcome',
      session: layout.session,
      attempt: record.file.attempts,
      claim,
      directory: layout.directory,
      backups: layout.backups,
      resume: point,
      policy: { ...save, asyncSave, keep, maxBytes, best, bestMinDelta, onFullDisk },
      keepPolicy: this.#options.keepPolicy,
      orphanLimitMs: settings.orphanLimitMs,
      requireGpu,
      learningRateScale: learningRateScale(record.file.budget),
      batchScale: batchScale(record.file.budget),
      trainer: { path, args: [...args], sourceDigest },
    });
  }

  /** To whoever asked for a save or the stop: it is over, and recorded. */
  tellEnd(end: Omit<MessageOf<SupervisorMessage, 'ended'>, 'v' | 'type'>): void {
    this.#channel.tellControls({ v: PROTOCOL_VERSION, type: 'ended', ...end });
  }

  /** The worker is over: saves that were asked of it will not come. */
  workerEnded(): void {
    this.#stepAtMs = null;
    this.#channel.failSaves('worker-ended', 'the worker ended before the save');
  }

  /** Resolves when nothing more can come from a worker that has ended: `done` may still be in the socket. */
  async drained(): Promise<void> {
    if (!this.#connected) return;
    const disconnected = new Promise<void>((resolve) => {
      this.#onDisconnected = resolve;
    });
    const { isBusy } = this.#options;
    await Promise.race([
      disconnected,
      silence({ isOpen: () => this.#connected, received: () => this.#received, isBusy }),
    ]);
    this.#onDisconnected = null;
  }

  /** Before it is admitted: a straggler of an earlier attempt must not take the channel from the present worker. */
  #refusalOf(hello: Hello): Refusal | null {
    const { attempts, worker } = this.#options.context.record.file;
    const refusal = this.#gate.refusalOf(hello, attempts, worker);
    if (refusal?.code === 'session') {
      this.#options.context.tell({
        name: 'notice',
        level: 'warning',
        message: `a worker was refused: ${refusal.message}`,
      });
    }
    return refusal;
  }

  #receive(message: WorkerReport): void {
    this.#received += 1;
    if (message.type === 'progress') this.#stepAtMs = this.#options.context.nowMs() - message.lastStepAgeMs;
    this.#options.onMessage(message);
  }

  /** It ends like an operator's SIGTERM, but for the words, and one more does not press harder. */
  #stop(reason: string | null): number {
    this.#options.dispatch({ type: 'stop-signal', signal: 'SIGTERM', command: { reason } });
    return this.#stepAtMs === null ? 0 : Math.max(0, this.#options.context.nowMs() - this.#stepAtMs);
  }

  #hello({ attempt, pid, pidNamespace, welcomed, phase, step, lastSaved, adaptsBatch, backend, loaders }: Hello): void {
    const { tell, index, record } = this.#options.context;
    this.#connected = true;
    const { worker } = record.file;
    if (worker?.attempt === attempt && worker.spoke !== true) record.change({ worker: { ...worker, spoke: true } });
    // A container's own number would name a stranger here.
    const seen = isForeign(pidNamespace) ? null : pid;
    void index.patchSession({ workerPid: seen });
    void index.patchAttempt(attempt, { pid: seen });
    tell({
      name: 'worker-connected',
      attempt,
      pid,
      adopted: welcomed,
      backend: backend ?? null,
      loaders: loaders ?? null,
    });
    this.#options.dispatch({
      type: 'worker-connected',
      welcomed,
      phase,
      step,
      lastSaved,
      adaptsBatch: adaptsBatch === true,
    });
  }

  #closed(): void {
    this.#connected = false;
    this.#onDisconnected?.();
    this.#options.onDisconnected();
    this.#options.dispatch({ type: 'channel-closed' });
  }
}
