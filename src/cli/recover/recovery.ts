/** Brings interrupted sessions back, each under a supervisor of its own, and stays with them until they have ended. */
import type { SessionFile } from '../../checkpoint/types.ts';
import { isPending, nextToStart, type QueuedSession, withStage } from '../../power/recovery-queue.ts';
import { exitCodeOf, exitCodeOfError } from '../exit-codes.ts';
import type { RecoveryCandidate } from './candidates.ts';
import { batteryOf, cardMissing, roomWarning, whatIsMissing } from './readiness.ts';
import type { RecoverEvent, RecoveryResult } from './recover-events.ts';
import { type RecoveringEnd, RecoveringSession, type ToldEvent } from './recovering-session.ts';

export interface RecoveryOptions {
  readonly candidates: readonly RecoveryCandidate[];
  /** Sessions that may train at once; null: all. */
  readonly parallel: number | null;
  /** How long a disk that is not there yet is waited for. */
  readonly diskWaitMs: number;
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly tell: (event: RecoverEvent) => void;
  /** Looks at a session anew: what was missing may have come. */
  readonly look: (session: string) => Promise<RecoveryCandidate['session']>;
  /** Every session was started or has turned out not to be: another recovery may begin. */
  readonly onAllStarted: () => Promise<void>;
  readonly lastBytes: (session: string) => number | null;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** How often a disk is looked for. */
const LOOK_MS = 1_000;

export class Recovery {
  readonly #options: RecoveryOptions;
  readonly #sinceMs: number;
  readonly #candidates: Map<string, RecoveryCandidate>;
  readonly #live = new Map<string, RecoveringSession>();
  readonly #outcomes = new Map<string, string>();
  readonly #waitedFor = new Set<string>();
  readonly #stoppedByUps = new Set<string>();
  readonly #results: RecoveryResult[] = [];
  readonly #signals: NodeJS.Signals[] = [];
  #queue: readonly QueuedSession[];
  #timer: NodeJS.Timeout | null = null;
  #allStarted = false;
  #looking = false;
  #over: (results: readonly RecoveryResult[]) => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#sinceMs = options.nowMs();
    this.#candidates = new Map(options.candidates.map((candidate) => [candidate.session.row.id, candidate]));
    this.#queue = [...this.#candidates].map(([session, { action }]) => ({
      session,
      stage: 'blocked',
      startedMs: null,
      trains: action === 'adopt',
    }));
  }

  run(): Promise<readonly RecoveryResult[]> {
    return new Promise((resolve, reject) => {
      this.#over = resolve;
      this.#fail = reject;
      this.#go();
      this.#timer = setInterval(() => this.#go(), LOOK_MS);
    });
  }

  /** Hands a stop signal to every supervisor; what was not started yet is not started any more. */
  signal(signal: NodeJS.Signals): void {
    this.#signals.push(signal);
    for (const { session, stage } of this.#queue) {
      if (stage === 'waiting' || stage === 'blocked') this.#finish(session, 'not-started', exitCodeOf('stopped'), null);
    }
    for (const child of this.#live.values()) child.signal(signal);
    this.#advance();
  }

  #go(): void {
    // A disk that answers slowly must not be asked twice: what the first look has started, the second would start again.
    if (this.#looking) return;
    this.#looking = true;
    this.#lookForDisks().then(
      () => this.#advance(),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Sessions whose disks have come are put into the queue; those whose time is over are given up, and said. */
  async #lookForDisks(): Promise<void> {
    const { look, nowMs, diskWaitMs } = this.#options;
    for (const { session, stage } of this.#queue) {
      if (stage !== 'blocked') continue;
      const candidate = this.#candidates.get(session);
      if (candidate === undefined) continue;
      const fresh = { ...candidate, session: await look(session) };
      // A stop came in meanwhile.
      if (this.#signals.length > 0) break;
      const battery = await batteryOf(fresh.session);
      if (this.#signals.length > 0) break;
      const missing = whatIsMissing(fresh.session) ?? (await cardMissing(fresh.session, this.#options.environment));
      if (this.#signals.length > 0) break;
      const leftMs = diskWaitMs - (nowMs() - this.#sinceMs);
      if (battery !== null) {
        this.#tellWaiting(session, battery.ups, battery.message, null);
        continue;
      }
      if (missing === null) {
        this.#candidates.set(session, fresh);
        this.#stage(session, 'waiting');
      } else if (leftMs <= 0) {
        this.#finish(session, 'refused', exitCodeOfError(missing.code), `${missing.message} (${missing.path})`);
      } else this.#tellWaiting(session, missing.path, missing.message, leftMs);
    }
    this.#looking = false;
  }

  #tellWaiting(session: string, path: string, message: string, waitMs: number | null): void {
    if (this.#waitedFor.has(session)) return;
    this.#waitedFor.add(session);
    this.#options.tell({ name: 'recovery-waiting', session, path, message, waitMs });
  }

  #advance(): void {
    const { parallel, nowMs, onAllStarted } = this.#options;
    for (;;) {
      const next = nextToStart(this.#queue, { parallel }, nowMs());
      if (next === null) break;
      this.#start(next);
    }
    if (!isPending(this.#queue) && !this.#allStarted) {
      this.#allStarted = true;
      onAllStarted().catch((error: unknown) => this.#fail(error));
    }
    if (this.#queue.every(({ stage }) => stage === 'over')) {
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
      this.#over(this.#results);
    }
  }

  #start(session: string): void {
    const candidate = this.#candidates.get(session);
    const file: SessionFile | null = candidate?.session.file ?? null;
    if (candidate === undefined || file === null) {
      this.#finish(session, 'refused', exitCodeOf('io'), 'its record cannot be read');
      return;
    }
    const { program, environment, tell, lastBytes } = this.#options;
    this.#stage(session, 'starting');
    const child = new RecoveringSession({
      file,
      program,
      environment,
      onEvent: (event) => this.#take(session, event),
      onEnd: (end) => this.#end(session, end),
    });
    this.#live.set(session, child);
    const warning = roomWarning(candidate.session, lastBytes(session));
    tell({ name: 'recovery-started', session, action: candidate.action, pid: child.pid, warning });
  }

  #take(session: string, event: ToldEvent): void {
    this.#options.tell({ name: 'recovery-told', session, event });
    if (event.name === 'stop-requested' && event.by === 'ups') this.#stoppedByUps.add(session);
    if (event.name === 'session-ended') this.#outcomes.set(session, event.outcome);
    const stage = this.#queue.find((queued) => queued.session === session)?.stage;
    if (stage !== 'starting' || !trains(event)) return;
    this.#stage(session, 'training');
    this.#advance();
  }

  #end(session: string, { code, message }: RecoveringEnd): void {
    this.#live.delete(session);
    if (code === exitCodeOf('stopped') && this.#signals.length === 0 && this.#stoppedByUps.has(session)) {
      // The machine may go down now; where the power comes back before that, so does the session.
      this.#stoppedByUps.delete(session);
      this.#outcomes.delete(session);
      this.#waitedFor.delete(session);
      this.#stage(session, 'blocked');
      return;
    }
    const held = code === exitCodeOf('held');
    const outcome = held ? 'held' : (this.#outcomes.get(session) ?? (code === null ? 'broken' : 'refused'));
    this.#finish(session, outcome, code ?? exitCodeOf('internal'), message);
    this.#advance();
  }

  #finish(session: string, outcome: string, exitCode: number, message: string | null): void {
    this.#stage(session, 'over');
    const result = { session, outcome, exitCode, message: this.#outcomes.has(session) ? null : message };
    this.#results.push(result);
    this.#options.tell({ name: 'recovery-over', ...result });
  }

  #stage(session: string, stage: QueuedSession['stage']): void {
    this.#queue = withStage(this.#queue, session, stage, this.#options.nowMs());
  }
}

/** It is past its start, and the next may begin. A script without the SDK tells of nothing but its output. */
function trains(event: ToldEvent): boolean {
  switch (event.name) {
    case 'training-started':
    case 'progress':
    case 'output':
      return true;
    case 'worker-connected':
      return event.adopted;
    default:
      return false;
  }
}
