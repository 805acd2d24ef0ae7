/** What is found about a worker's end beyond its exit status. */
import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from '../checkpoint/types.ts';
import { errnoOf } from '../errors.ts';
import { readOomRecords } from './kernel-log.ts';
import { type OomRecord, oomCounterFiles, parseOomKills } from './oom-records.ts';
import type { Evidence } from './worker-end.ts';

/** Places that evidence is taken from; others in tests. */
export interface EvidenceSources {
  /** Kills in our own memory cgroup, which the worker shares; null: not known here. */
  readonly oomKills: () => number | null;
  readonly oomRecords: () => Promise<readonly OomRecord[] | null>;
  /** Monotonic time since boot in microseconds. */
  readonly uptimeUs: () => number;
}

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

  private constructor(sources: EvidenceSources) {
    this.#sources = sources;
    this.#killsBefore = sources.oomKills();
    this.#startedUs = sources.uptimeUs();
  }

  /** To be called before the worker is launched (or adopted): counters are compared with what they are now. */
  static async start(sources: EvidenceSources = kernelSources): Promise<EvidenceCollector> {
    return new EvidenceCollector(sources);
  }

  /**
   * To be called after the worker's end. Never rejects for what may not be read: then there simply is no evidence.
   *
   * @param worker as it announced itself; null: it never did, and only the counter of the memory cgroup can tell
   */
  async collect(worker: ProcessIdentity | null): Promise<Pick<Evidence, 'oomRecord'>> {
    return { oomRecord: (await this.#namedRecord(worker)) ?? this.#countedKills() };
  }

  async #namedRecord(worker: ProcessIdentity | null): Promise<string | null> {
    if (worker === null) return null;
    const slackUs = Math.max(LEAST_SLACK_US, this.#startedUs * CLOCK_DRIFT);
    const records = (await this.#sources.oomRecords()) ?? [];
    const named = records.findLast(
      ({ pid, atUs }) => pid === worker.pid && (atUs === null || atUs >= this.#startedUs - slackUs),
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
