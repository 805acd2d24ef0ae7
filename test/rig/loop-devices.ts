/** Loop devices of this machine, and mounts that anybody can see. */
import { readdirSync, readFileSync } from 'node:fs';

/** Files that a loop device has open. */
export function backingFiles(): string[] {
  return readdirSync('/sys/block').flatMap((name) => {
    if (!name.startsWith('loop')) return [];
    try {
      return [readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').trim()];
    } catch {
      // Not attached.
      return [];
    }
  });
}

/** Mounts, and files of loop devices, that have this in their path: what a test must not leave behind. */
export function mountsAndDevices(part: string): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return [...mounts, ...backingFiles()].filter((line) => line.includes(part));
}
