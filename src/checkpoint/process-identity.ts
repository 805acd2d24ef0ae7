/** Who a process is, and whether that very process still lives. Reads /proc directly; elsewhere it knows less. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errnoOf } from '../errors.ts';
import type { Owner, ProcessIdentity } from './types.ts';

interface ProcStat {
  /** One letter, `Z` for a zombie. */
  readonly state: string;
  readonly startTime: string;
}

/**
 * Identity of the process that has this pid now, also of a zombie; null when there is none. Where there is no
 * /proc, only the pid is known.
 */
export function identityOf(pid: number): ProcessIdentity | null {
  if (!hasProc()) return answersSignalZero(pid) ? { pid, startTime: null, bootId: null } : null;
  const stat = procStat(`/proc/${pid}/stat`);
  return stat === null ? null : { pid, startTime: stat.startTime, bootId: currentBootId() };
}

/** True while that very process lives: not after a reboot, not as a zombie, not when the pid went to another. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== currentBootId()) return false;
  if (!hasProc()) return answersSignalZero(identity.pid);
  const stat = procStat(`/proc/${identity.pid}/stat`);
  if (stat === null || (identity.startTime !== null && stat.startTime !== identity.startTime)) return false;
  return !isDead(stat) || hasLivingThread(identity.pid);
}

/** Identity of this boot of the machine; null where the platform has none. */
export function currentBootId(): string | null {
  return readLine('/proc/sys/kernel/random/boot_id');
}

/** This process as an owner of sessions. */
export function currentOwner(role: Owner['role']): Omit<Owner, 'claim' | 'at'> {
  const identity = identityOf(process.pid) ?? { pid: process.pid, startTime: null, bootId: currentBootId() };
  return {
    ...identity,
    role,
    pidNamespace: pidNamespace(),
    machineId: readLine('/etc/machine-id') ?? readLine('/var/lib/dbus/machine-id'),
    host: hostname(),
  };
}

/** What is known of an owner from here. */
export type Relation =
  /** Same machine, boot and pid namespace: life and death can be seen. */
  | 'here'
  /** Same machine, an earlier boot: dead. */
  | 'rebooted'
  /** Another machine or pid namespace: nothing can be said. */
  | 'elsewhere';

type Place = Pick<Owner, 'bootId' | 'pidNamespace' | 'machineId'> & { readonly host?: string };

/** Pure: how two places relate. One boot id is one running kernel, so it outweighs a machine id. */
export function relationOf(other: Place, self: Place): Relation {
  if (other.bootId === self.bootId) {
    if (other.bootId === null && other.host !== self.host) return 'elsewhere';
    return other.pidNamespace === self.pidNamespace ? 'here' : 'elsewhere';
  }
  return other.machineId !== null && other.machineId === self.machineId ? 'rebooted' : 'elsewhere';
}

function isDead(stat: ProcStat): boolean {
  return stat.state === 'Z' || stat.state === 'X';
}

/**
 * A killed process is shown as a zombie as soon as its first thread is gone, although another may hang in the
 * kernel in a write to a slow disk: it is not dead before that one is.
 */
function hasLivingThread(pid: number): boolean {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
  return threads.some((thread) => {
    const stat = procStat(`/proc/${pid}/task/${thread}/stat`);
    return stat !== null && !isDead(stat);
  });
}

function procStat(path: string): ProcStat | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
  // The second field is the command in brackets and may itself hold spaces and brackets: count from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTime = fields[19];
  return state === undefined || startTime === undefined ? null : { state, startTime };
}

function isGone(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'ENOENT' || errno === 'ESRCH';
}

function answersSignalZero(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === 'EPERM';
  }
}

function hasProc(): boolean {
  return process.platform === 'linux';
}

/** Name of this process's pid namespace; null where the platform has none. */
export function pidNamespace(): string | null {
  if (!hasProc()) return null;
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}

function readLine(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}
