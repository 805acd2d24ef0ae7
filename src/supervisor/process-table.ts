/** What the kernel says about processes: /proc on Linux, `ps` on other POSIX systems. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { currentBootId } from '../checkpoint/boot-identity.ts';
import { isAlive } from '../checkpoint/process-identity.ts';
import { ENVIRONMENT } from '../protocol/messages.ts';

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** One letter: R running, S asleep, D uninterruptible, T stopped, Z zombie, X dead. */
  readonly state: string;
  /** Clock ticks since boot as text; null where the platform has none. */
  readonly startTime: string | null;
}

/**
 * Parses `/proc/PID/stat`. The command name stands in parentheses and may hold spaces and parentheses itself, so
 * fields are counted from the last closing one. Source: proc_pid_stat(5).
 */
export function parseStat(text: string): ProcessRow | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  const pid = Number(text.slice(0, open));
  const fields = text
    .slice(close + 2)
    .trimEnd()
    .split(' ');
  const [state, parent, group] = fields;
  const startTime = fields[19];
  if (!Number.isInteger(pid) || state === undefined || parent === undefined || group === undefined) return null;
  return { pid, parent: Number(parent), group: Number(group), state, startTime: startTime ?? null };
}

/** Parses the output of `ps -A -o pid=,ppid=,pgid=,state=`. */
export function parsePs(text: string): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const line of text.split('\n')) {
    const [pid, parent, group, state] = line.trim().split(/\s+/);
    if (pid === undefined || parent === undefined || group === undefined || state === undefined) continue;
    const row = { pid: Number(pid), parent: Number(parent), group: Number(group), state: state.charAt(0) };
    if (Number.isInteger(row.pid)) rows.push({ ...row, startTime: null });
  }
  return rows;
}

/** False for what no longer runs, although its entry is still there. */
export function isLiving(row: ProcessRow): boolean {
  if (row.state !== 'Z' && row.state !== 'X') return true;
  // A process whose first thread has ended is shown as a zombie, although another may hang in the kernel.
  return row.startTime !== null && isAlive({ pid: row.pid, startTime: row.startTime, bootId: currentBootId() });
}

/** One process, zombies included; null: there is none (or it went while it was read). */
export function processRow(pid: number): ProcessRow | null {
  if (process.platform !== 'linux') return processTable().find((row) => row.pid === pid) ?? null;
  const text = readOrNull(`/proc/${pid}/stat`);
  return text === null ? null : parseStat(text.toString('latin1'));
}

/** Every process of this machine (of this pid namespace), zombies included. */
export function processTable(): ProcessRow[] {
  if (process.platform !== 'linux') {
    return parsePs(execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,state='], { encoding: 'utf8' }));
  }
  const rows: ProcessRow[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const row = processRow(Number(name));
    if (row !== null) rows.push(row);
  }
  return rows;
}

/**
 * True when the process was started with `name=value` in its environment. False also where the kernel does not show
 * it (another user's process, no /proc): then it cannot be proven ours.
 */
export function hasEnvironment(pid: number, name: string, value: string): boolean {
  return environmentOf(pid).includes(`${name}=${value}`);
}

/**
 * True when the process was started by a launch of this session, or by what that has started. A launch names its number
 * too; who merely has the session's id in a variable of that name (an operator's shell, and all that it starts) is a stranger.
 */
export function wasLaunchedIn(pid: number, session: string): boolean {
  const environment = environmentOf(pid);
  return (
    environment.includes(`${ENVIRONMENT.session}=${session}`) &&
    environment.some((entry) => entry.startsWith(`${ENVIRONMENT.attempt}=`))
  );
}

function environmentOf(pid: number): readonly string[] {
  return readOrNull(`/proc/${pid}/environ`)?.toString('utf8').split('\0') ?? [];
}

/** A process may go at any moment and another user's is closed to us: both are "nothing to see", not errors. */
function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}
