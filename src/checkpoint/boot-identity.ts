/** Which boot of which machine this is. On Linux the kernel tells; elsewhere the time of the boot has to do. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { errnoOf } from '../errors.ts';

/**
 * Two boot times this close are one: the clock is set while the machine runs, and the time since the boot is rounded.
 * A machine that was up for less than this before it was booted again is taken for one that never went down.
 */
const SAME_BOOT_SECONDS = 120;
/** A boot that is known by its time only; no character in it that a file name may not have. */
const BY_TIME = /^boot-(\d+)$/;

/** Identity of this boot of the machine: the kernel's own, or `boot-<seconds since 1970>` where there is none. */
export function currentBootId(): string | null {
  if (process.platform === 'linux') return readLine('/proc/sys/kernel/random/boot_id');
  return bootIdOfTime(Date.now() - uptime() * 1_000);
}

/** @param bootedAtMs wall clock, in ms */
export function bootIdOfTime(bootedAtMs: number): string {
  return `boot-${Math.round(bootedAtMs / 1_000)}`;
}

/** Pure. Two unknown boots are the same as far as anyone can tell. */
export function isSameBoot(one: string | null, other: string | null): boolean {
  const [a, b] = [bootTimeOf(one), bootTimeOf(other)];
  return a === null || b === null ? one === other : Math.abs(a - b) <= SAME_BOOT_SECONDS;
}

/** True where nothing but the time of the boot is known. */
export function isKnownByTime(bootId: string | null): boolean {
  return bootTimeOf(bootId) !== null;
}

/** What systemd and D-Bus know this machine by; null where neither was installed. */
export function currentMachineId(): string | null {
  return readLine('/etc/machine-id') ?? readLine('/var/lib/dbus/machine-id');
}

function bootTimeOf(bootId: string | null): number | null {
  const seconds = bootId === null ? undefined : BY_TIME.exec(bootId)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

function readLine(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}
