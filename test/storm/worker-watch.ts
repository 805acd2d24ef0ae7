/** Who lives in a world: its processes, and above all its workers, of which there may be one at a time. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Stands in the environment of all processes of a world, with the world's folder. */
export const WORLD = 'NKAT_TEST_WORLD';

const POLL_MS = 30;
/** A process is asked again what it is for so long after it was first seen: it may be about to become another program. */
const SETTLES_MS = 3_000;
/** Strangers that have settled are looked at this often: no number of a process comes round sooner. */
const STRANGERS_MS = 1_000;

interface Known {
  readonly startTime: string;
  readonly since: number;
  lookedAtMs: number;
  isWorker: boolean;
}

export class WorkerWatch {
  readonly #marker: string;
  readonly #known = new Map<number, Known>();
  readonly #timer: NodeJS.Timeout;
  #workers: number[] = [];
  /** Two workers that were seen alive at one and the same time, in words. */
  readonly together: string[] = [];
  looks = 0;

  /** @param marker of the world, as it stands in the environment of all its processes: `NAME=value` */
  constructor(marker: string) {
    this.#marker = marker;
    this.#timer = setInterval(() => this.look(), POLL_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The worker that lives; null: there is none. */
  get worker(): number | null {
    this.look();
    return this.#workers[0] ?? null;
  }

  look(): void {
    this.looks++;
    const workers: number[] = [];
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const pid = Number(name);
      if (!this.#isStranger(pid) && this.#isWorker(pid)) workers.push(pid);
    }
    // One was read after the other: only if the first still lives now were they there together.
    const living = workers.filter((pid) => this.#isWorker(pid));
    if (living.length > 1) this.together.push(living.map((pid) => `${pid} ${attemptOf(pid)}`).join(' and '));
    this.#workers = living;
  }

  #isStranger(pid: number): boolean {
    const known = this.#known.get(pid);
    if (known === undefined || known.isWorker) return false;
    const now = performance.now();
    return now - known.since > SETTLES_MS && now - known.lookedAtMs < STRANGERS_MS;
  }

  #isWorker(pid: number): boolean {
    const startTime = liveSince(pid);
    if (startTime === null) {
      this.#known.delete(pid);
      return false;
    }
    const now = performance.now();
    let known = this.#known.get(pid);
    if (known === undefined || known.startTime !== startTime) {
      known = { startTime, since: now, lookedAtMs: now, isWorker: false };
      this.#known.set(pid, known);
    }
    known.lookedAtMs = now;
    if (!known.isWorker && now - known.since < SETTLES_MS) known.isWorker = isWorker(pid, this.#marker);
    return known.isWorker;
  }
}

/** Living processes of a world, workers or not. */
export function processesOf(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && liveSince(pid) !== null && environmentOf(pid).includes(marker));
}

/** The same of all worlds that lie in a folder. */
export function processesUnder(folder: string): number[] {
  const marker = `${WORLD}=${folder}/`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => liveSince(pid) !== null && environmentOf(pid).some((entry) => entry.startsWith(marker)));
}

/** By its start time; null: it is dead, or dying (whoever is killed has no program any more). */
function liveSince(pid: number): string | null {
  try {
    const [state, ...rest] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return state === undefined || 'ZX'.includes(state) ? null : (rest[18] ?? null);
  } catch {
    return null;
  }
}

/** Node with a trainer; not the shell that waits for it, nor a supervisor. */
function isWorker(pid: number, marker: string): boolean {
  try {
    if (basename(readlinkSync(`/proc/${pid}/exe`)) !== basename(process.execPath)) return false;
  } catch {
    return false;
  }
  const environment = environmentOf(pid);
  return environment.includes(marker) && environment.some((entry) => entry.startsWith('NKAT_ATTEMPT='));
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    // It ended while we looked.
    return [];
  }
}

function attemptOf(pid: number): string {
  return environmentOf(pid).find((entry) => entry.startsWith('NKAT_ATTEMPT=')) ?? '(ended)';
}
