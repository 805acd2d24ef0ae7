/** Who a process is, and whether that very process still lives. Reads /proc directly; elsewhere it knows less. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errnoOf } from '../errors.ts';
import { currentBootId, currentMachineId, isKnownByTime, isSameBoot } from './boot-identity.ts';
import type { Owner, ProcessIdentity } from './types.ts';

interface ProcStat {
  /** One letter, `Z` for a zombie. */
  readonly state: string;
  readonly startTime: string;
}

/**
 * Identity of the process that has this pid now, also of a zombie; null when there is none. Where there is no
 * /proc, only the pid and the boot are known.
 */
export function identityOf(pid: number): ProcessIdentity | null {
  if (!hasProc()) return answersSignalZero(pid) ? { pid, startTime: null, bootId: currentBootId() } : null;
  const stat = procStat(`/proc/${pid}/stat`);
  return stat === null ? null : { pid, startTime: stat.startTime, bootId: currentBootId() };
}

/** True while that very process lives: not after a reboot, not as a zombie, not when the pid went to another. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (!isSameBoot(identity.bootId, currentBootId())) return false;
  if (!hasProc()) return answersSignalZero(identity.pid);
  const stat = procStat(`/proc/${identity.pid}/stat`);
  if (stat === null || (identity.startTime !== null && stat.startTime !== identity.startTime)) return false;
  return !isDead(stat) || hasLivingThread(identity.pid);
}

/** This process as an owner of sessions. */
export function currentOwner(role: Owner['role']): Omit<Owner, 'claim' | 'at'> {
  const identity = identityOf(process.pid) ?? { pid: process.pid, startTime: null, bootId: currentBootId() };
  return {
    ...identity,
    role,
    pidNamespace: pidNamespace(),
    machineId: currentMachineId(),
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

export type Place = Pick<Owner, 'bootId' | 'pidNamespace' | 'machineId'> & { readonly host?: string };

/**
 * Pure: how two places relate. One boot id of a kernel is one running kernel, so it outweighs a machine id; the time of
 * a boot is not: two machines that were switched on together share it.
 */
export function relationOf(other: Place, self: Place): Relation {
  if (isSameBoot(other.bootId, self.bootId)) {
    if (!isKernelsOwn(other.bootId) && !isSameMachine(other, self)) return 'elsewhere';
    return other.pidNamespace === self.pidNamespace ? 'here' : 'elsewhere';
  }
  return isSameMachine(other, self) ? 'rebooted' : 'elsewhere';
}

function isKernelsOwn(bootId: string | null): boolean {
  return bootId !== null && !isKnownByTime(bootId);
}

/** Platforms without machine ids are told apart by the name of the host; what has an id is not. */
function isSameMachine(other: Place, self: Place): boolean {
  if (other.machineId !== null || self.machineId !== null) return other.machineId === self.machineId;
  return !isKernelsOwn(other.bootId) && !isKernelsOwn(self.bootId) && other.host === self.host;
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
