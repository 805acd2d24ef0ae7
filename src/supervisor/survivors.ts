/** What outlives SIGKILL: which process, what it waits for in the kernel, and whether it was killed already. */
import { readdirSync, readFileSync } from 'node:fs';
import { parseStat } from './process-table.ts';

/** SIGKILL is signal 9: bit 8 of a mask of pending signals. Source: proc_pid_status(5). */
const KILL_BIT = 1n << 8n;
/** Frames of a kernel stack that are told: the wait itself and who asked for it. */
const FRAMES = 4;
const KERNEL_PLACE = /^\S+ ([A-Za-z_][\w.]*)/;

/**
 * One sentence about a process that does not end: `pid 4711 (node) is in uninterruptible sleep in
 * percpu_rwsem_wait < mnt_want_write`. The stack can be read by root alone; others get the place of the wait.
 */
export function survivorWords(pid: number): string {
  const name = read(`/proc/${pid}/comm`)?.trim() ?? 'unknown';
  const who = `pid ${pid} (${name})`;
  const sleeper = threadsOf(pid).find((thread) => thread.state === 'D');
  if (sleeper === undefined) return `${who} does not end, although no thread of it is in uninterruptible sleep`;
  const place = stackOf(pid, sleeper.id) ?? placeOf(pid, sleeper.id);
  return `${who} is in uninterruptible sleep${place === null ? '' : ` in ${place}`}`;
}

/** True when SIGKILL was sent and waits: nobody has to send it again, and nothing can be done but wait. */
export function isKillPending(pid: number): boolean {
  const status = read(`/proc/${pid}/status`);
  if (status === null) return false;
  return [...status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)].some(
    ([, mask]) => mask !== undefined && (BigInt(`0x${mask}`) & KILL_BIT) !== 0n,
  );
}

interface Thread {
  readonly id: number;
  readonly state: string;
}

function threadsOf(pid: number): Thread[] {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/task`);
  } catch {
    // It has ended meanwhile, or there is no /proc.
    return [];
  }
  return names.map((name) => ({
    id: Number(name),
    state: parseStat(read(`/proc/${pid}/task/${name}/stat`) ?? '')?.state ?? 'X',
  }));
}

/** Lines are `[<0>] percpu_rwsem_wait+0x15f/0x1d0`. */
function stackOf(pid: number, thread: number): string | null {
  const lines = read(`/proc/${pid}/task/${thread}/stack`)?.split('\n') ?? [];
  const frames = lines.flatMap((line) => KERNEL_PLACE.exec(line)?.[1] ?? []).map((frame) => frame.replace(/\+.*$/, ''));
  return frames.length === 0 ? null : frames.slice(0, FRAMES).join(' < ');
}

function placeOf(pid: number, thread: number): string | null {
  const place = read(`/proc/${pid}/task/${thread}/wchan`)?.trim() ?? '';
  return place === '' || place === '0' ? null : place;
}

/** A process may go at any moment, and some of its files are closed to us. */
function read(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
