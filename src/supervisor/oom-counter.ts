/**
 * Kills that the worker's memory cgroup counted, as far as they may be the worker's own: not those before the launch, and not
 * those that it outlived.
 */
import { readFileSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { oomCounterFiles, parseOomKills } from './oom-records.ts';
import { isKillPending } from './survivors.ts';

export interface OomReading {
  /** The file with the counter: which cgroup it is. */
  readonly file: string;
  readonly kills: number;
}

export interface OomCounterSources {
  /** Counter of the cgroup of a process, of our own for null; null: not known here. */
  readonly counterOf: (pid: number | null) => OomReading | null;
  /** The process runs, and no SIGKILL is on its way to it. */
  readonly isUnhurt: (pid: number) => boolean;
}

export class OomCounter {
  readonly #sources: OomCounterSources;
  /** What had been counted at the look before the newest, which the worker outlived. */
  #before: OomReading | null;
  #newest: OomReading | null;

  /** To be made before the launch: the worker begins in our own cgroup. */
  constructor(sources: OomCounterSources = kernelCounters) {
    this.#sources = sources;
    this.#before = sources.counterOf(null);
    this.#newest = this.#before;
  }

  /**
   * To be called now and then while the worker runs. The kernel counts a moment before it kills, so only what the look
   * before saw is certain to be of somebody else.
   */
  look(pid: number): void {
    const reading = this.#sources.counterOf(pid);
    // Asked after the reading: of a process that is just ending it would be that of another cgroup.
    if (reading === null || !this.#sources.isUnhurt(pid)) return;
    // It was moved, or moved itself: what that cgroup counted before is not about it.
    this.#before = reading.file === this.#newest?.file ? this.#newest : reading;
    this.#newest = reading;
  }

  /** Kills that may have been the worker's, with the file that says so; null: none. */
  risen(): OomReading | null {
    const { file } = this.#newest ?? {};
    const kills = file === undefined ? null : killsIn(file);
    if (file === undefined || kills === null || this.#before === null || kills <= this.#before.kills) return null;
    return { file, kills: kills - this.#before.kills };
  }
}

const kernelCounters: OomCounterSources = { counterOf: readOomKills, isUnhurt };

/** Null where there is none (no Linux, no controller, no right), and for a process that is gone. */
export function readOomKills(pid: number | null = null): OomReading | null {
  const cgroup = readOrNull(`/proc/${pid ?? 'self'}/cgroup`);
  const mountinfo = readOrNull('/proc/self/mountinfo');
  if (cgroup === null || mountinfo === null) return null;
  for (const file of oomCounterFiles(cgroup, mountinfo)) {
    const kills = killsIn(file);
    if (kills !== null) return { file, kills };
  }
  return null;
}

/** A process that is ending has given its memory back, which may take seconds, before it is gone. */
function isUnhurt(pid: number): boolean {
  return /^VmSize:/m.test(readOrNull(`/proc/${pid}/status`) ?? '') && !isKillPending(pid);
}

function killsIn(file: string): number | null {
  const text = readOrNull(file);
  return text === null ? null : parseOomKills(text);
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}
