/**
 * Keeps with each crash and each emergency save what the cards showed. Nobody waits for it: the readings are written first, what
 * nvidia-smi and the kernel have to say is added when, and if, they say it.
 */
import { errnoOf } from '../../errors.ts';
import { processQuery, readProcesses } from '../../gpu/processes.ts';
import type { GpuSample } from '../../gpu/sample.ts';
import { askSmi, type SmiAnswer } from '../../gpu/smi-ask.ts';
import type { SmiCommand } from '../../gpu/smi-command.ts';
import { readXid, type XidMessage } from '../../gpu/xid.ts';
import { within } from '../../timer.ts';
import type { SupervisorEvent } from '../events.ts';
import { readKernelLog } from '../kernel-log.ts';
import { readingsOf } from './readings.ts';
import { listSnapshots, nextSnapshotPath, writeSnapshot } from './snapshot-files.ts';

export type SnapshotReason = 'crash' | 'emergency-save';

export interface SnapshotKeeperOptions {
  readonly session: string;
  /** `<logs>/<session>` */
  readonly outputDirectory: string;
  readonly smi: SmiCommand;
  readonly tell: (event: SupervisorEvent) => void;
  readonly now: () => Date;
  /** The clock of the readings. */
  readonly nowMs: () => number;
}

const ANSWER_MS = 10_000;
/** One card has some 60 KiB, and its own limits stand at the beginning. */
const INVENTORY_BYTES = 512 * 1024;
const PROCESS_BYTES = 64 * 1024;
const MOST_XIDS = 50;

interface Told {
  /** The whole of `nvidia-smi -q -x`; null: `trouble` says why. */
  readonly inventory: string | null;
  readonly processes:
    | readonly { readonly pid: number; readonly name: string; readonly memoryMib: number | null }[]
    | null;
  readonly troubles: readonly string[];
  /** Newest last; null: the kernel's log may not be read here. */
  readonly xids: readonly XidMessage[] | null;
}

export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  readonly #ending = new AbortController();
  #writing: Promise<void> = Promise.resolve();
  #asking: Promise<void> | null = null;
  #failed = false;
  #closed = false;

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
  }

  /** Returns at once. @param recent rows of the last minutes, oldest first */
  keep(why: SnapshotReason, attempt: number, reason: string | null, recent: readonly GpuSample[]): void {
    const { session, now, nowMs } = this.#options;
    const head = { version: 1, session, attempt, why, reason, at: now().toISOString() };
    const snapshot = { ...head, readings: readingsOf(recent, nowMs()) };
    // One after another, so that no two take the same number.
    const written = this.#writing.then(() => this.#writeFirst(snapshot, why, attempt));
    this.#writing = written.then(() => undefined);
    // A driver that hangs gets one question, however often the worker crashes.
    if (this.#asking !== null) return;
    this.#asking = this.#complete(written, snapshot).finally(() => {
      this.#asking = null;
    });
  }

  /** What is asked is given up after `patienceMs`; what was written stays. A disk that hangs holds nobody either. */
  async close(patienceMs: number): Promise<void> {
    const over = Promise.all([this.#asking, this.#writing]).then(() => true);
    if (await within(over, patienceMs, false)) return;
    this.#ending.abort();
    await within(over, patienceMs, false);
    this.#closed = true;
  }

  async #writeFirst(snapshot: object, why: SnapshotReason, attempt: number): Promise<string | null> {
    try {
      const path = await nextSnapshotPath(this.#options.outputDirectory, why, attempt);
      await writeSnapshot(path, snapshot);
      if (!this.#closed) this.#options.tell({ name: 'snapshot-kept', attempt, why, path });
      return path;
    } catch (error) {
      this.#tellFailure(error);
      return null;
    }
  }

  async #complete(written: Promise<string | null>, snapshot: object): Promise<void> {
    const told = await this.#ask();
    const path = await written;
    if (path === null) return;
    try {
      // It may have had to make room meanwhile.
      if (!(await listSnapshots(this.#options.outputDirectory)).includes(path)) return;
      await writeSnapshot(path, { ...snapshot, ...told });
    } catch (error) {
      this.#tellFailure(error);
    }
  }

  async #ask(): Promise<Told> {
    const { smi } = this.#options;
    const { signal } = this.#ending;
    const [inventory, processes] = await Promise.all([
      askSmi(smi, ['-q', '-x'], { timeoutMs: ANSWER_MS, maxBytes: INVENTORY_BYTES, signal }),
      askSmi(smi, processQuery(), { timeoutMs: ANSWER_MS, maxBytes: PROCESS_BYTES, signal }),
    ]);
    // Last: reading it takes this thread some milliseconds, and at the first moment there is better to do.
    const xids = await readKernelLog(({ message }) => readXid(message));
    return {
      inventory: textOf(inventory),
      processes: processes.kind === 'answered' ? readProcesses(processes.text) : null,
      troubles: [inventory, processes].flatMap((each) => (each.kind === 'trouble' ? [each.trouble.words] : [])),
      xids: xids?.slice(-MOST_XIDS) ?? null,
    };
  }

  /** Once: without it training goes on as well. */
  #tellFailure(error: unknown): void {
    if (errnoOf(error) === null) throw error;
    if (this.#failed || this.#closed) return;
    this.#failed = true;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `What the GPUs showed could not be kept with this: ${reason}`;
    this.#options.tell({ name: 'notice', level: 'warning', message });
  }
}

function textOf(answer: SmiAnswer): string | null {
  return answer.kind === 'answered' ? answer.text : null;
}
