/**
 * The SDK's thread at work: between the training loop (a message port and the control block), the session (a
 * supervisor's channel, or alone) and the store. It answers at once, however long the training loop is blocked.
 */
import type { MessagePort } from 'node:worker_threads';
import type { StoreFiles } from '../../checkpoint/files.ts';
import type { Committed } from '../../checkpoint/types.ts';
import { messageOf } from '../../errors.ts';
import type { ResumePoint } from '../../protocol/messages.ts';
import type { ControlBlock } from '../control-block.ts';
import { BackupNews } from './backup-news.ts';
import { BestExporter } from './best-exporter.ts';
import { ClaimNumber } from './claim-number.ts';
import { fullDisk } from './full-disk.ts';
import { layoutOf } from './layout-of.ts';
import { loadCheckpoint } from './loader.ts';
import type { SaveBegin, SessionFacts, ThreadMode, ThreadStart, ToLoop, ToThread } from './messages.ts';
import { refusedBy } from './refusal.ts';
import { REPORT_EVERY_MS, Reporter } from './reporter.ts';
import { RoomWatch } from './room-watch.ts';
import { SaveReports } from './save-reports.ts';
import type { SessionOwner, SessionSide } from './session-side.ts';
import { UnreadableNews } from './unreadable-news.ts';
import { type FinishedSave, type SaveFailure, Writer } from './writer.ts';

/** sysexits EX_TEMPFAIL. */
const EXIT_TEMPORARY = 75;

export interface CoreOptions {
  readonly files: StoreFiles;
  readonly port: MessagePort;
  readonly control: ControlBlock;
  readonly mode: ThreadMode['kind'];
  readonly resumed: ThreadStart['resumed'];
  readonly versions: Readonly<Record<string, string>>;
  readonly side: (owner: SessionOwner) => SessionSide;
}

export class ThreadCore {
  readonly #options: CoreOptions;
  readonly #claim = new ClaimNumber(0);
  readonly #side: SessionSide;
  readonly #reporter: Reporter;
  readonly #room: RoomWatch;
  readonly #backups = new BackupNews({
    place: () => this.#requireFacts().backups,
    say: (level, message) => this.#side.tell({ v: 1, type: 'notice', level, message }),
  });
  readonly #unreadable = new UnreadableNews((message) =>
    this.#side.tell({ v: 1, type: 'notice', level: 'warning', message }),
  );
  readonly #saves = new SaveReports((message) => this.#side.tell(message));
  #facts: SessionFacts | null = null;
  #cards: { readonly gpu: string | null; readonly driver: string | null } = { gpu: null, driver: null };
  #writer: Writer | null = null;
  #bestExporter: BestExporter | null = null;
  /** Of a rehearsal on a full disk: it is full until a save has failed. */
  #hasRoomAgain = false;

  #ending: Promise<void> = Promise.resolve();

  constructor(options: CoreOptions) {
    this.#options = options;
    this.#reporter = new Reporter(options.control, (message) => this.#side.tellNow(message));
    this.#room = new RoomWatch({
      files: options.files,
      layout: () => layoutOf(this.#requireFacts()),
      mode: () => this.#facts?.policy.onFullDisk ?? 'continue',
      onRoom: () => this.#post({ type: 'room' }),
      tell: (news) => this.#side.tell({ v: 1, type: 'room', ...news }),
      nowMs: () => performance.now(),
      later: (ms, work) => void setTimeout(work, ms),
    });
    this.#side = options.side({
      welcomed: (facts, keepPolicy) => this.#welcomed(facts, keepPolicy),
      requested: (message) => this.#requested(message),
      exit: (code, message, refusal) => this.#post({ type: 'exit', code, message, refusal }),
      position: () => ({ step: options.control.step, epoch: options.control.epoch, phase: options.control.phase }),
    });
  }

  start(): void {
    const { resumed, port } = this.#options;
    if (resumed !== null) this.#takeUp(resumed.facts, resumed.lastSaved);
    port.on('message', (message: ToThread) => this.#handle(message));
    setInterval(() => this.#reporter.tick(performance.now(), process.hrtime.bigint()), REPORT_EVERY_MS);
    this.#side.start();
  }

  #welcomed(facts: SessionFacts, keepPolicy: boolean): void {
    this.#claim.raise(facts.claim);
    if (this.#facts === null) {
      this.#takeUp(facts, null);
      this.#post({ type: 'welcome', facts, mode: this.#options.mode });
    } else {
      const { claim } = facts;
      this.#facts = keepPolicy ? { ...this.#facts, claim } : { ...facts, resume: this.#facts.resume };
      this.#post({ type: 'rewelcome', facts: this.#facts });
      this.#room.tellAgain();
    }
  }

  #takeUp(facts: SessionFacts, lastSaved: number | null): void {
    this.#facts = facts;
    this.#claim.raise(facts.claim);
    const resumedFrom = facts.resume?.sequence ?? null;
    this.#bestExporter ??= new BestExporter({
      files: this.#options.files,
      layout: layoutOf(facts),
      say: (level, message) => this.#side.tell({ v: 1, type: 'notice', level, message }),
    });
    this.#writer = new Writer(
      {
        files:
          facts.drill?.fullDisk === true
            ? fullDisk(this.#options.files, () => !this.#hasRoomAgain)
            : this.#options.files,
        layout: layoutOf(facts),
        claim: this.#claim,
        retention: () => ({
          keep: this.#facts?.policy.keep ?? facts.policy.keep,
          maxBytes: this.#facts?.policy.maxBytes ?? null,
        }),
        attempt: facts.attempt,
        trainer: facts.trainer,
        versions: this.#options.versions,
        cards: () => this.#cards,
        resumedFrom,
        parent: lastSaved ?? resumedFrom,
      },
      {
        started: (save) => this.#saves.started(save),
        ready: ({ id }, memory, headerBytes) => this.#post({ type: 'save-ready', id, memory, headerBytes }),
        slotFree: ({ id }, slot) => this.#post({ type: 'save-slot', id, slot }),
        durable: (save, committed) => this.#durable(save, committed),
        settled: (save, committed, problem) => this.#settled(save, committed, problem),
        failed: (save, failure) => {
          this.#hasRoomAgain = true;
          this.#failed(save, failure);
        },
        backedUp: (problem) => this.#backups.take(problem),
        unreadable: (kept) => this.#unreadable.take(kept),
        fenced: () => this.#side.fenced(),
      },
    );
  }

  #requested(message: Parameters<SessionOwner['requested']>[0]): void {
    if (message.type === 'save' || message.type === 'stop') {
      const { request, reason } = message;
      this.#side.tell({ v: 1, type: 'acknowledged', request, lastStepAgeMs: this.#ageMs() });
      const arrivedAt = process.hrtime.bigint();
      if (message.type === 'stop') this.#post({ type: 'stop-requested', request, reason, arrivedAt });
      else this.#post({ type: 'save-requested', request, kinds: message.kinds, reason });
    } else if (message.type === 'pause') this.#post({ type: 'pause', reason: message.reason });
    else if (message.type === 'cards') this.#cards = message;
    else if (message.type === 'continue') this.#post({ type: 'continue' });
    else if (message.type === 'release') this.#post({ type: 'release', reason: message.reason });
    else this.#post({ type: 'throttle', share: message.share, leaseMs: message.leaseMs, reason: message.reason });
  }

  #handle(message: ToThread): void {
    switch (message.type) {
      case 'load':
        this.#load().catch((error: unknown) => this.#post(refusedBy(error, this.#requireFacts().directory)));
        return;
      case 'restored':
        this.#reporter.rebase();
        this.#side.tell({ v: 1, ...message });
        return;
      case 'save-begin':
        this.#writer?.begin(message);
        return;
      case 'save-chunk':
        this.#writer?.chunk(message);
        return;
      case 'save-finish':
        this.#writer?.finish(message);
        return;
      case 'save-join':
        this.#writer?.join(message.id, message.requests);
        return;
      case 'save-abort':
        this.#writer?.abort(message.id, message.code, message.message);
        return;
      case 'save-refused':
        this.#saves.failed(message, message.code, message.message);
        return;
      case 'progress-facts':
        this.#reporter.facts(message);
        this.#reporter.firstStep(performance.now(), process.hrtime.bigint());
        return;
      case 'phase':
        this.#side.tellNow({ v: 1, type: 'phase', phase: message.phase });
        return;
      case 'diverged':
      case 'done':
      case 'drilled':
      case 'notice':
        this.#side.tell({ v: 1, ...message });
        return;
      case 'ended':
        this.#ending = this.#side
          .ended(message.state)
          .catch((error: unknown) => this.#warn('the session file was not updated', error));
        return;
      case 'flush':
        this.#reporter.sendNow(performance.now(), process.hrtime.bigint());
        void Promise.all([this.#ending, this.#bestExporter?.idle]).then(() =>
          this.#post({ type: 'flushed', id: message.id }),
        );
        return;
    }
  }

  async #load(): Promise<void> {
    let point: ResumePoint | null = this.#facts?.resume ?? null;
    if (point === null) {
      this.#post({ type: 'fresh' });
      return;
    }
    for (;;) {
      const outcome = await loadCheckpoint(
        this.#options.files,
        point.path,
        this.#facts?.session ?? '',
        (message, transfer) => this.#post(message, transfer),
      );
      if (outcome.status === 'loaded') {
        this.#resumedFrom(point);
        this.#post({ type: 'loaded', resume: point, state: outcome.state });
        return;
      }
      this.#post({ type: 'load-again' });
      point = await this.#side.unusable(point, outcome);
      if (point === null) {
        this.#post({
          type: 'exit',
          code: EXIT_TEMPORARY,
          message: 'no checkpoint of this session could be loaded',
          refusal: null,
        });
        return;
      }
    }
  }

  /** The point that was loaded is in use: retention must not delete it, and it is the parent of the first save. */
  #resumedFrom(point: ResumePoint): void {
    if (this.#facts === null || this.#facts.resume?.sequence === point.sequence) return;
    this.#takeUp({ ...this.#facts, resume: point }, null);
  }

  #durable(save: FinishedSave, committed: Committed): void {
    const { sequence } = committed.manifest;
    this.#room.durable(committed.bytes);
    this.#saves.saved('durable', save, committed);
    this.#post({ type: 'save-durable', id: save.id, sequence, path: committed.path });
    void this.#side
      .committed(committed)
      .catch((error: unknown) => this.#warn('the session file was not updated', error));
  }

  #settled(save: FinishedSave, committed: Committed, problem: string | null): void {
    if (problem === null) {
      this.#saves.saved('verified', save, committed);
      this.#bestExporter?.verified(committed);
    } else this.#saves.failed(save, 'read-back', problem);
    this.#post({ type: 'save-settled', id: save.id, verified: problem === null, message: problem });
  }

  #failed(save: SaveBegin, { code, message, hint }: SaveFailure): void {
    this.#saves.failed(save, code, message, hint);
    if (code === 'no-space') this.#room.failed(save.bytes, message, hint);
    this.#post({ type: 'save-failed', id: save.id, code, message });
  }

  #requireFacts(): SessionFacts {
    if (this.#facts === null) throw new TypeError('no save comes before the welcome');
    return this.#facts;
  }

  #warn(what: string, error: unknown): void {
    this.#side.tell({ v: 1, type: 'notice', level: 'warning', message: `${what}: ${messageOf(error)}` });
  }

  #ageMs(): number {
    return this.#options.control.beatAgeMs(process.hrtime.bigint());
  }

  #post(message: ToLoop, transfer: ArrayBuffer[] = []): void {
    this.#options.port.postMessage(message, transfer);
    // After the message, so that a loop which sees the count finds it.
    this.#options.control.announce();
  }
}
