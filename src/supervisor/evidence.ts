/** What is found about a worker's end beyond its exit status. */
import { readlinkSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { readKernelLog } from './kernel-log.ts';
import { OomCounter } from './oom-counter.ts';
import { type OomRecord, readOomKill } from './oom-records.ts';
import type { Evidence, WorkerEnd } from './worker-end.ts';

interface EndedWorker {
  readonly end: WorkerEnd;
  /** The worker's pid, if it announced one, and its launcher's. */
  readonly pids: readonly number[];
  readonly lastLines: readonly string[];
}

/** Places that evidence is taken from; others in tests. */
export interface EvidenceSources {
  readonly counter: OomCounter;
  readonly oomRecords: () => Promise<readonly OomRecord[] | null>;
  /** The kernel's log names processes by the pids that we know them by: we are in no container. */
  readonly logNamesOurPids: () => boolean;
  /** Monotonic time since boot in microseconds. */
  readonly uptimeUs: () => number;
}

/** Newest lines that are kept; more would not be read. */
const LAST_LINES = 40;
/** How often it is looked which kills the worker outlived. */
const LOOK_MS = 1_000;

/**
 * The kernel stamps its log with a clock of its own, which runs apart from the monotonic one by some parts in a million:
 * a record this share of the uptime (at least a minute) before the launch may still be the worker's.
 */
const CLOCK_DRIFT = 0.001;
const LEAST_SLACK_US = 60_000_000;

export class EvidenceCollector {
  readonly #sources: EvidenceSources;
  readonly #startedUs: number;
  #timer: NodeJS.Timeout | null = null;

  /** To be made before the worker is launched (or adopted): counters are compared with what they are now. */
  constructor(sources: EvidenceSources = kernelSources()) {
    this.#sources = sources;
    this.#startedUs = sources.uptimeUs();
  }

  /** Follows the worker until the evidence is gathered. @param worker its pid; null: it has announced none yet */
  follow(worker: () => number | null): void {
    this.close();
    this.#timer = setInterval(() => {
      const pid = worker();
      if (pid !== null) this.#sources.counter.look(pid);
    }, LOOK_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Never rejects for what may not be read: then there simply is no evidence. */
  async gather({ end, pids, lastLines }: EndedWorker): Promise<Evidence> {
    this.close();
    return { stderrTail: lastLines.slice(-LAST_LINES), oomRecord: isKilled(end) ? await this.#oomRecord(pids) : null };
  }

  async #oomRecord(pids: readonly number[]): Promise<string | null> {
    const sinceUs = this.#startedUs - slackUs(this.#startedUs);
    const records = (await this.#sources.oomRecords()) ?? [];
    return namedRecord(records, pids, sinceUs) ?? this.#countedKills(records, sinceUs);
  }

  /** In a container the log names pids of the host, if it may be read at all; the counter is of the worker's cgroup. */
  #countedKills(records: readonly OomRecord[], sinceUs: number): string | null {
    const risen = this.#sources.counter.risen();
    if (risen === null) return null;
    // Each kill that the log gives a name to was of another process.
    const others = this.#sources.logNamesOurPids() ? records.filter((record) => isSince(record, sinceUs)).length : 0;
    if (risen.kills <= others) return null;
    return `the memory cgroup counted ${risen.kills} oom_kill while it ran (${risen.file})`;
  }
}

/** The OOM killer sends SIGKILL; a group that vanished may have been killed by it whole. */
function isKilled(end: WorkerEnd): boolean {
  return end.signal === 'SIGKILL' || end.source === 'vanished';
}

/**
 * What the kernel's log says of a worker that ended while nobody watched; null: nothing, or it may not be read.
 *
 * @param startedUs when it was launched, since boot
 */
export async function unseenOomRecord(
  end: WorkerEnd,
  pids: readonly number[],
  startedUs: number,
): Promise<string | null> {
  if (!isKilled(end)) return null;
  return namedRecord((await readKernelLog(readOomKill)) ?? [], pids, startedUs - slackUs(startedUs));
}

function namedRecord(records: readonly OomRecord[], pids: readonly number[], sinceUs: number): string | null {
  return records.findLast((record) => pids.includes(record.pid) && isSince(record, sinceUs))?.message ?? null;
}

function slackUs(startedUs: number): number {
  return Math.max(LEAST_SLACK_US, startedUs * CLOCK_DRIFT);
}

function isSince({ atUs }: OomRecord, sinceUs: number): boolean {
  return atUs === null || atUs >= sinceUs;
}

function kernelSources(): EvidenceSources {
  return {
    counter: new OomCounter(),
    oomRecords: () => readKernelLog(readOomKill),
    logNamesOurPids: inFirstPidNamespace,
    uptimeUs: () => Number(process.hrtime.bigint() / 1000n),
  };
}

/** Source: PROC_PID_INIT_INO in the kernel's proc_ns.h. */
const FIRST_PID_NAMESPACE = `pid:[${0xeffffffc}]`;

/** Whether the kernel's log and nvidia-smi name processes by the numbers that we know them by. */
export function inFirstPidNamespace(): boolean {
  try {
    return readlinkSync('/proc/self/ns/pid') === FIRST_PID_NAMESPACE;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
