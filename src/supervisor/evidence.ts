/** What is found about a worker's end beyond its exit status. */
import { readFileSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { readOomRecords } from './kernel-log.ts';
import { type OomRecord, oomCounterFiles, parseOomKills } from './oom-records.ts';
import type { Evidence, WorkerEnd } from './worker-end.ts';

interface EndedWorker {
  readonly end: WorkerEnd;
  /** The worker's pid, if it announced one, and its launcher's. */
  readonly pids: readonly number[];
  readonly lastLines: readonly string[];
}

/** Places that evidence is taken from; others in tests. */
export interface EvidenceSources {
  /** Kills in our own memory cgroup, which the worker shares; null: not known here. */
  readonly oomKills: () => number | null;
  readonly oomRecords: () => Promise<readonly OomRecord[] | null>;
  /** Monotonic time since boot in microseconds. */
  readonly uptimeUs: () => number;
}

/** Newest lines that are kept; more would not be read. */
const LAST_LINES = 40;

/**
 * The kernel stamps its log with a clock of its own, which runs apart from the monotonic one by some parts in a million:
 * a record this share of the uptime (at least a minute) before the launch may still be the worker's.
 */
const CLOCK_DRIFT = 0.001;
const LEAST_SLACK_US = 60_000_000;

export class EvidenceCollector {
  readonly #sources: EvidenceSources;
  readonly #killsBefore: number | null;
  readonly #startedUs: number;

  /** To be made before the worker is launched (or adopted): counters are compared with what they are now. */
  constructor(sources: EvidenceSources = kernelSources) {
    this.#sources = sources;
    this.#killsBefore = sources.oomKills();
    this.#startedUs = sources.uptimeUs();
  }

  /** Never rejects for what may not be read: then there simply is no evidence. */
  async gather({ end, pids, lastLines }: EndedWorker): Promise<Evidence> {
    // The OOM killer sends SIGKILL; a group that vanished may have been killed by it whole.
    const killed = end.signal === 'SIGKILL' || end.source === 'vanished';
    const oomRecord = killed ? ((await this.#namedRecord(pids)) ?? this.#countedKills()) : null;
    return { stderrTail: lastLines.slice(-LAST_LINES), oomRecord };
  }

  async #namedRecord(pids: readonly number[]): Promise<string | null> {
    const slackUs = Math.max(LEAST_SLACK_US, this.#startedUs * CLOCK_DRIFT);
    const records = (await this.#sources.oomRecords()) ?? [];
    const named = records.findLast(
      ({ pid, atUs }) => pids.includes(pid) && (atUs === null || atUs >= this.#startedUs - slackUs),
    );
    return named?.message ?? null;
  }

  /** In a container the log names pids of the host, if it may be read at all; the counter is of our own cgroup. */
  #countedKills(): string | null {
    const kills = this.#sources.oomKills();
    if (kills === null || this.#killsBefore === null || kills <= this.#killsBefore) return null;
    return `the memory cgroup counted ${kills - this.#killsBefore} oom_kill since the launch`;
  }
}

const kernelSources: EvidenceSources = {
  oomKills: readOomKills,
  oomRecords: readOomRecords,
  uptimeUs: () => Number(process.hrtime.bigint() / 1000n),
};

/** The counter of this process's memory cgroup; null where there is none (no Linux, no controller, no right). */
export function readOomKills(): number | null {
  const cgroup = readOrNull('/proc/self/cgroup');
  const mountinfo = readOrNull('/proc/self/mountinfo');
  if (cgroup === null || mountinfo === null) return null;
  for (const path of oomCounterFiles(cgroup, mountinfo)) {
    const text = readOrNull(path);
    const kills = text === null ? null : parseOomKills(text);
    if (kills !== null) return kills;
  }
  return null;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}
