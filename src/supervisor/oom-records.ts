/** Where the kernel tells of memory that ran out: counters of the memory cgroup, and its log. Pure parsers. */
import { posix } from 'node:path';
import type { KernelLine } from './kernel-line.ts';

/** Value of `oom_kill` in `memory.events` (cgroup v2) or `memory.oom_control` (v1); null: there is none. */
export function parseOomKills(text: string): number | null {
  const match = /^oom_kill (\d+)$/m.exec(text);
  return match === null ? null : Number(match[1]);
}

/**
 * Files that may hold the counter of this process's memory cgroup, likeliest first. On a machine with both versions only
 * one of them has the memory controller, so the other's file does not exist.
 *
 * @param cgroup content of `/proc/self/cgroup`, `mountinfo` of `/proc/self/mountinfo`: see cgroups(7) and proc(5)
 */
export function oomCounterFiles(cgroup: string, mountinfo: string): string[] {
  const paths = cgroupPaths(cgroup);
  const files: string[] = [];
  for (const { root, point, type, options } of cgroupMounts(mountinfo)) {
    const v2 = type === 'cgroup2';
    if (!v2 && !options.includes('memory')) continue;
    const path = v2 ? paths.unified : paths.memory;
    if (path === null) continue;
    const directory = posix.join(point, belowRoot(path, root));
    // `local` leaves out the cgroups below, where others are killed; older kernels have it not.
    const names = v2 ? ['memory.events.local', 'memory.events'] : ['memory.oom_control'];
    for (const name of names) files.push(posix.join(directory, name));
  }
  return files;
}

/** Path inside a mount whose root is not the root of the hierarchy (containers); outside of it, the mount itself. */
function belowRoot(path: string, root: string): string {
  if (path.startsWith('/..')) return '/';
  if (root === '/') return path;
  if (path === root) return '/';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : '/';
}

function cgroupPaths(text: string): { unified: string | null; memory: string | null } {
  let unified: string | null = null;
  let memory: string | null = null;
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(.*)$/.exec(line);
    const [, hierarchy, controllers, path = ''] = match ?? [];
    if (hierarchy === '0' && controllers === '') unified = path;
    if (controllers?.split(',').includes('memory')) memory = path;
  }
  return { unified, memory };
}

interface CgroupMount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

function cgroupMounts(text: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root, point] = before.split(' ');
    const [type = '', , options = ''] = after.split(' ');
    if (root === undefined || point === undefined || !type.startsWith('cgroup')) continue;
    mounts.push({ root: unescapeOctal(root), point: unescapeOctal(point), type, options: options.split(',') });
  }
  return mounts;
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

export interface OomRecord {
  readonly pid: number;
  /** Microseconds since boot; null where the log was printed without times. */
  readonly atUs: number | null;
  readonly message: string;
}

/** Source: mm/oom_kill.c, `__oom_kill_process` (with or without "Memory cgroup" in front). */
const KILLED = /(?:Out of memory|out of memory): Killed process (\d+) \(/;

/** Null: the line tells of no OOM kill. */
export function readOomKill({ message, atUs }: KernelLine): OomRecord | null {
  const pid = KILLED.exec(message)?.[1];
  return pid === undefined ? null : { pid: Number(pid), atUs, message };
}
