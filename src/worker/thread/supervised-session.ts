/** A session that a supervisor owns: it welcomes, names the resume point and hears of every save. */
import { pidNamespace } from '../../checkpoint/process-identity.ts';
import type { MessageOf, ResumePoint, SupervisorMessage, WorkerMessage } from '../../protocol/messages.ts';
import { PHASES } from '../../protocol/messages.ts';
import { Channel } from './channel.ts';
import type { LoadOutcome } from './loader.ts';
import type { SessionFacts, ThreadMode, ThreadStart } from './messages.ts';
import { OrphanLimit } from './orphan-limit.ts';
import type { SessionOwner, SessionSide } from './session-side.ts';

/** sysexits EX_TEMPFAIL: the supervisor decides what comes next. */
const EXIT_TEMPORARY = 75;
/** Request of the stop that the limit asks for. */
const ORPHAN_LIMIT = 'orphan-limit';
/** Another process owns the session. */
const EXIT_HELD = 73;

export class SupervisedSession implements SessionSide {
  readonly #mode: Extract<ThreadMode, { kind: 'supervised' }>;
  readonly #owner: SessionOwner;
  readonly #channel: Channel;
  readonly #sdk: string;
  readonly #orphanLimit: OrphanLimit;
  #orphanLimitMs: number | null = null;
  #isDrill = false;
  #claim: number | null;
  #lastSaved: number | null;
  /** Of the restored state; a later supervisor learns it from the next hello. */
  #backend: string | null = null;
  #nextPoint: ((point: ResumePoint | null) => void) | null = null;

  constructor(
    mode: Extract<ThreadMode, { kind: 'supervised' }>,
    resumed: ThreadStart['resumed'],
    sdk: string,
    owner: SessionOwner,
  ) {
    this.#mode = mode;
    this.#owner = owner;
    this.#sdk = sdk;
    this.#orphanLimit = new OrphanLimit({
      noteFile: process.env.NKAT_NOTE_FILE,
      stop: (reason) => owner.requested({ v: 1, type: 'stop', request: ORPHAN_LIMIT, reason, deadlineMs: 0 }),
      // Of this very process: the thread cannot end the loop in any gentler way.
      kill: () => process.kill(process.pid, 'SIGKILL'),
    });
    this.#claim = resumed?.facts.claim ?? null;
    this.#lastSaved = resumed?.lastSaved ?? null;
    this.#channel = new Channel(mode.socket, resumed !== null, {
      hello: (welcomed) => this.#hello(welcomed),
      receive: (message) => this.#receive(message),
      alone: () => this.#alone(),
      abandoned: (why) => owner.exit(EXIT_TEMPORARY, why, null),
    });
  }

  start(): void {
    void this.#channel.connect();
  }

  tell(message: WorkerMessage): void {
    if (message.type === 'saved') this.#lastSaved = message.sequence;
    if (message.type === 'restored') this.#backend = message.backend;
    this.#channel.send(message);
  }

  tellNow(message: WorkerMessage): void {
    this.#channel.sendNow(message);
  }

  unusable(point: ResumePoint, { reason }: Extract<LoadOutcome, { status: 'unusable' }>): Promise<ResumePoint | null> {
    return new Promise((resolve) => {
      this.#nextPoint = resolve;
      this.tell({ v: 1, type: 'unusable', sequence: point.sequence, path: point.path, reason });
    });
  }

  committed(): Promise<void> {
    return Promise.resolve();
  }

  fenced(): void {
    // The next supervisor's welcome brings the claim under which the save goes through.
    this.tell({ v: 1, type: 'notice', level: 'warning', message: 'a save waits: this session has a newer claim' });
  }

  ended(): Promise<void> {
    return Promise.resolve();
  }

  #receive(message: SupervisorMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#claim = message.claim;
        this.#isDrill = message.drill !== undefined;
        if (message.keepPolicy !== true) this.#orphanLimitMs = message.orphanLimitMs;
        this.#orphanLimit.attended(this.#orphanLimitMs);
        this.#owner.welcomed(factsOf(message), message.keepPolicy === true);
        return;
      case 'resume': {
        const next = this.#nextPoint;
        this.#nextPoint = null;
        next?.(message.resume);
        return;
      }
      case 'save':
      case 'stop':
      case 'pause':
      case 'continue':
      case 'throttle':
      case 'cards':
      case 'release':
        this.#owner.requested(message);
        return;
      case 'refused':
        this.#owner.exit(
          message.code === 'fenced' ? EXIT_HELD : EXIT_TEMPORARY,
          `the supervisor refused this worker (${message.code}): ${message.message}`,
          null,
        );
        return;
      default:
        // Answers to control clients; nothing to a worker.
        return;
    }
  }

  #alone(): void {
    // Whoever rehearses is dead, and nothing that was trained is wanted: not a moment longer, whatever the loop is in.
    if (this.#isDrill) process.kill(process.pid, 'SIGKILL');
    this.#orphanLimit.abandoned();
  }

  #hello(welcomed: boolean): MessageOf<WorkerMessage, 'hello'> {
    const { step, epoch, phase } = this.#owner.position();
    return {
      v: 1,
      type: 'hello',
      role: 'worker',
      token: this.#mode.token,
      session: this.#mode.session,
      attempt: this.#mode.attempt,
      pid: process.pid,
      pidNamespace: pidNamespace(),
      welcomed,
      claim: this.#claim,
      step,
      epoch,
      phase: PHASES[phase] ?? 'load',
      lastSaved: this.#lastSaved,
      adaptsBatch: this.#mode.adaptsBatch,
      loaders: this.#mode.loaders,
      backend: this.#backend,
      sdk: this.#sdk,
    };
  }
}

function factsOf(welcome: MessageOf<SupervisorMessage, 'welcome'>): SessionFacts {
  const { session, attempt, claim, directory, backups, resume, policy, requireGpu, trainer } = welcome;
  const learningRateScale = welcome.learningRateScale ?? 1;
  const batchScale = welcome.batchScale ?? 1;
  const drill = welcome.drill === undefined ? null : { ...welcome.drill, fullDisk: welcome.drill.fullDisk ?? false };
  return {
    session,
    attempt,
    claim,
    directory,
    backups,
    resume,
    policy,
    requireGpu,
    learningRateScale,
    batchScale,
    trainer,
    drill,
  };
}
