/** The channel to the worker of the present attempt: who is connected, what it is welcomed with, when it is drained. */
import type { TrainerFacts } from '../checkpoint/types.ts';
import { PROTOCOL_VERSION, type SupervisorMessage } from '../protocol/messages.ts';
import { ChannelServer, type Hello, type Refusal, type WorkerReport } from './channel-server.ts';
import type { Happening } from './machine/event.ts';
import { learningRateScale } from './machine/restart-policy.ts';
import type { ChosenPoint } from './resume-point.ts';
import type { SessionContext } from './session-context.ts';

/** How long the channel may deliver what a dead worker had sent. */
const DRAIN_MS = 2_000;

type WithoutVersion<M> = M extends unknown ? Omit<M, 'v'> : never;

export interface WorkerLineOptions {
  readonly context: SessionContext;
  readonly token: string;
  readonly trainer: TrainerFacts;
  readonly dispatch: (happening: Happening) => void;
  readonly onMessage: (message: WorkerReport) => void;
  readonly onDisconnected: () => void;
}

export class WorkerLine {
  readonly #options: WorkerLineOptions;
  readonly #channel: ChannelServer;
  #connected = false;
  #onDisconnected: (() => void) | null = null;

  constructor(options: WorkerLineOptions) {
    this.#options = options;
    const { tell, layout } = options.context;
    this.#channel = new ChannelServer({
      session: layout.session,
      token: options.token,
      mayConnect: (hello) => this.#refusalOf(hello),
      onHello: (hello) => this.#hello(hello),
      onMessage: (message) => options.onMessage(message),
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

  send(message: WithoutVersion<SupervisorMessage>): void {
    this.#channel.sendToWorker({ v: PROTOCOL_VERSION, ...message });
  }

  /** To a worker that was welcomed before, only the claim in it is news. */
  welcome(point: ChosenPoint | null): void {
    const { layout, claim, settings, record } = this.#options.context;
    const { save, best, bestMinDelta, keep, maxBytes, requireGpu, onFullDisk } = settings;
    const { path, args, sourceDigest } = this.#options.trainer;
    this.send({
      type: 'welcome',
      session: layout.session,
      attempt: record.file.attempts,
      claim,
      directory: layout.directory,
      backups: layout.backups,
      resume: point,
      policy: { ...save, keep, maxBytes, best, bestMinDelta, onFullDisk },
      requireGpu,
      learningRateScale: learningRateScale(record.file.budget),
      trainer: { path, args: [...args], sourceDigest },
    });
  }

  /** Resolves when nothing more can come from a worker that has ended: `done` may still be in the socket. */
  async drained(): Promise<void> {
    if (!this.#connected) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, DRAIN_MS);
      this.#onDisconnected = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onDisconnected = null;
  }

  /** Before it is admitted: a straggler of an earlier attempt must not take the channel from the present worker. */
  #refusalOf({ attempt }: Hello): Refusal | null {
    const { attempts } = this.#options.context.record.file;
    if (attempt === attempts) return null;
    return { code: 'fenced', message: `attempt ${attempt} is over; attempt ${attempts} has taken its place` };
  }

  #hello({ attempt, pid, welcomed, phase, step, lastSaved }: Hello): void {
    const { tell, index } = this.#options.context;
    this.#connected = true;
    void index.patchSession({ workerPid: pid });
    void index.patchAttempt(attempt, { pid });
    tell({ name: 'worker-connected', attempt, pid, adopted: welcomed });
    this.#options.dispatch({ type: 'worker-connected', welcomed, phase, step, lastSaved });
  }

  #closed(): void {
    this.#connected = false;
    this.#onDisconnected?.();
    this.#options.onDisconnected();
    this.#options.dispatch({ type: 'channel-closed' });
  }
}
