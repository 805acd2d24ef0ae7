/**
 * Carries out what the machine decides for one claimed session: the hands to the machine's head. Whatever takes long
 * runs beside the loop and reports back as an event, so that a stop signal is never kept waiting.
 */
import { environmentOfWorker } from '../backend/worker-environment.ts';
import type { TrainerFacts, WorkerIdentity } from '../checkpoint/types.ts';
import { errnoOf, messageOf, NkatError } from '../errors.ts';
import { ENVIRONMENT, type MessageOf, type WorkerMessage } from '../protocol/messages.ts';
import { AttemptHands } from './attempt-hands.ts';
import type { CardControl } from './card-control.ts';
import { cardOrders } from './card-orders.ts';
import { choose } from './choosing.ts';
import { confirm } from './confirming.ts';
import type { Effect } from './machine/effect.ts';
import type { Happening, MachineEvent, VerifiedSteps } from './machine/event.ts';
import type { MachineSettings } from './machine/settings.ts';
import { isShortage } from './machine/shortage.ts';
import type { Ended, Ledger, State } from './machine/state.ts';
import { OnsetWarnings } from './onset-warnings.ts';
import { ReportGate } from './report-gate.ts';
import type { ChosenPoint } from './resume-point.ts';
import { type Actor, RunLoop } from './run-loop.ts';
import type { SessionContext } from './session-context.ts';
import { TransitionBook } from './transition-book.ts';
import { WorkerLine } from './worker-line.ts';
import { WorkerReports } from './worker-reports.ts';

/** Events that wait to be decided on; with more of them the worker is not read. */
const MAX_BACKLOG = 256;

export interface SupervisorOptions {
  readonly context: SessionContext;
  readonly machine: MachineSettings;
  readonly ledger: Ledger;
  readonly preload: string;
  /** Instead of Node, preload and trainer; null: those. */
  readonly command: readonly string[] | null;
  readonly trainer: TrainerFacts;
  /** What the operator wants the first launch to resume from; null: the newest that verifies. */
  readonly from: number | string | null;
  readonly token: string;
  readonly socket: string;
  readonly keepPolicy: boolean;
  /** How long the session has been down already, through a power cut; null: it has not, or nobody knows. */
  readonly downForMs: number | null;
  /** Acts on what the cards show; is given its hands here. */
  readonly cards: CardControl;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export class Supervisor implements Actor {
  readonly #context: SessionContext;
  readonly #loop: RunLoop;
  readonly #line: WorkerLine;
  readonly #hands: AttemptHands;
  readonly #warnings: OnsetWarnings;
  readonly #book: TransitionBook;
  readonly #cards: CardControl;
  #point: ChosenPoint | null = null;
  #from: number | string | null;

  constructor(options: SupervisorOptions) {
    const { context, trainer, token, random } = options;
    this.#context = context;
    this.#from = options.from;
    this.#cards = options.cards;
    this.#cards.attach(
      cardOrders(
        () => this.#line,
        (kinds, reason) => void this.save(kinds, reason),
        (happening) => this.dispatch(happening),
      ),
    );
    this.#warnings = new OnsetWarnings(context.tell);
    this.#book = new TransitionBook(context, this.#warnings);
    this.#loop = new RunLoop({ kind: 'opening', ledger: options.ledger }, options.machine, this, context.nowMs);
    const dispatch = (happening: Happening): void => this.#loop.dispatch(happening);
    const reports = new WorkerReports(context, dispatch, (message) => this.#beside(this.#replace(message)));
    if (options.downForMs !== null) reports.downFor(options.downForMs);
    const gate = new ReportGate({
      pass: (message) => reports.take(message),
      onDropped: (count) => {
        const message = `the worker reports faster than can be kept: ${count} of its messages were dropped so far`;
        context.tell({ name: 'notice', level: 'warning', message });
      },
      nowMs: context.nowMs,
    });
    this.#line = new WorkerLine({
      context,
      token,
      trainer,
      keepPolicy: options.keepPolicy,
      dispatch,
      onMessage: (message) => gate.take(message),
      isBusy: () => this.#loop.backlog > MAX_BACKLOG,
      onDisconnected: () => this.#hands.lookNow(),
    });
    this.#hands = new AttemptHands({
      context,
      dispatch,
      launch: {
        session: context.layout.session,
        trainer: trainer.path,
        args: trainer.args,
        command: options.command,
        cwd: context.record.file.identity.cwd,
        environment: {
          ...environmentOfWorker(process.env, context.settings.deterministic),
          [ENVIRONMENT.socket]: options.socket,
          [ENVIRONMENT.token]: token,
          [ENVIRONMENT.checkpointDirectory]: context.layout.directory,
        },
        outputDirectory: context.outputDirectory,
        preload: options.preload,
      },
      channelDrained: () => this.#line.drained(),
      onEnded: () => {
        gate.flush();
        reports.workerEnded();
        this.#line.workerEnded();
      },
      persist: () => this.#book.persist(),
      cardEvidence: (end, lastLines) => this.#cards.evidence(end, lastLines),
      random,
    });
  }

  get ended(): Promise<Ended> {
    return this.#loop.ended;
  }

  dispatch(happening: Happening): void {
    this.#loop.dispatch(happening);
  }

  /**
   * Asks the worker for a checkpoint at its next step.
   *
   * @param kinds with `emergency` among them it takes precedence over the training
   * @returns false: it is not connected, and was not asked
   */
  save(kinds: readonly [string, ...string[]], reason: string): boolean {
    const request = `${kinds.at(-1)}-${this.#context.nowMs().toFixed(0)}`;
    return this.#line.send({ type: 'save', request, kinds: [...kinds], reason }) !== 'closed';
  }

  listen(): Promise<void> {
    return this.#line.listen();
  }

  adopt(worker: WorkerIdentity, verified: VerifiedSteps): Promise<void> {
    return this.#hands.adopt(worker, verified);
  }

  /** Answers the control clients that wait for the end. */
  tellEnd(end: Parameters<WorkerLine['tellEnd']>[0]): void {
    this.#line.tellEnd(end);
  }

  async close(): Promise<void> {
    await this.#line.close();
    await this.#hands.close();
    this.#context.index.flush();
  }

  async record(before: State, event: MachineEvent, after: State): Promise<void> {
    if (before.kind === 'awaiting-card' && after.kind !== before.kind) this.#cards.awaitNoMore();
    await this.#book.enter(before, event, after);
  }

  async perform(effect: Effect): Promise<void> {
    const { tell, nowMs } = this.#context;
    switch (effect.type) {
      case 'choose-checkpoint':
        this.#beside(this.#choose(effect.stepBackFrom));
        break;
      case 'launch-worker':
        if (await this.#isReachable()) await this.#hands.launch(effect.attempt, effect.resumedFrom);
        break;
      case 'welcome-worker':
        this.#line.welcome(this.#point);
        break;
      case 'request-stop': {
        const { request, reason, graceMs } = effect;
        this.#line.send({ type: 'stop', request, reason, deadlineMs: graceMs });
        break;
      }
      case 'signal-group':
        this.#hands.signal(effect.signal);
        break;
      case 'reap-group':
        this.#beside(this.#hands.reap());
        break;
      case 'gather-evidence':
        this.#beside(this.#hands.gather(effect.end));
        break;
      case 'record-attempt-end':
        await this.#hands.recordEnd(effect);
        break;
      case 'confirm-checkpoint':
        this.#beside(confirm(this.#context, effect.sequence).then((happening) => this.dispatch(happening)));
        break;
      case 'announce-stop': {
        const { signal, reason, by, stage, lastStepAgeMs } = effect;
        const deadlineMs = Math.max(0, effect.deadlineMs - nowMs());
        tell({
          name: 'stop-requested',
          signal,
          reason,
          ...(by === undefined ? {} : { by }),
          stage,
          deadlineMs,
          lastStepAgeMs,
        });
        break;
      }
      case 'await-card':
        this.#cards.await(effect.need, effect.reason);
        break;
      case 'announce-hang': {
        const { phase, silentMs, limitMs } = effect;
        tell({ name: 'hang-detected', phase, silentMs, limitMs });
        break;
      }
      case 'announce-launch-wait':
        this.#warnings.begin(
          'launch',
          `The worker cannot be launched yet, which is tried again every few seconds: ${effect.reason}`,
          'Free some space (df -h, df -i) or end what crowds the machine; Ctrl-C stops waiting.',
        );
        break;
      case 'announce-restart': {
        const { delayMs, reason, withoutProgress, crashSaves } = effect;
        tell({ name: 'restart-planned', delayMs, reason, withoutProgress, crashSaves });
        break;
      }
      default:
        throw new TypeError(`no such effect: ${JSON.stringify(effect satisfies never)}`);
    }
  }

  /** Runs beside the loop; a failure that is no event ends the session as an internal error. */
  #beside(work: Promise<void>): void {
    work.catch((error: unknown) => this.#loop.fail(error));
  }

  /** A worker must find the socket. Where there is no room for one, the launch is tried again. */
  async #isReachable(): Promise<boolean> {
    try {
      await this.#line.ensureReachable();
      return true;
    } catch (error) {
      const errno = errnoOf(error instanceof NkatError ? error.cause : error);
      if (!isShortage(errno)) throw error;
      this.dispatch({ type: 'spawn-failed', errno, reason: messageOf(error) });
      return false;
    }
  }

  async #choose(stepBackFrom: number | null): Promise<void> {
    const only = this.#from;
    this.#from = null;
    const { point, happening } = await choose(this.#context, { stepBackFrom, only, passOver: null });
    this.#point = point;
    this.dispatch(happening);
  }

  /** The worker could not load what it was given; it is told what to load instead. */
  async #replace({ sequence, reason }: MessageOf<WorkerMessage, 'unusable'>): Promise<void> {
    const message = `checkpoint ${sequence} could not be loaded: ${reason}`;
    this.#context.tell({ name: 'notice', level: 'warning', message });
    const { point } = await choose(this.#context, { stepBackFrom: null, only: null, passOver: sequence });
    this.#point = point;
    this.dispatch({ type: 'resume-changed', sequence: point?.sequence ?? null });
    this.#line.send({ type: 'resume', resume: point });
  }
}
