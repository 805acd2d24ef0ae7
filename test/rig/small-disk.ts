/** A small disk of one's own: a file with a file system in it, mounted over a loop device. Knows no test runner. */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const MIB = 1024 * 1024;
const KEEP_MS = 20;

export interface SmallDiskOptions {
  readonly mib?: number;
  /** Fewer inodes than the size would give. */
  readonly inodes?: number;
}

export class SmallDisk {
  readonly path: string;
  readonly #hog: string;
  #keeper: NodeJS.Timeout | null = null;
  #isMounted = true;

  /** @param folder empty, and the disk's alone */
  constructor(folder: string, { mib = 64, inodes }: SmallDiskOptions = {}) {
    const image = join(folder, 'image');
    this.path = join(folder, 'disk');
    this.#hog = join(this.path, 'hog');
    mkdirSync(this.path);
    const descriptor = openSync(image, 'w');
    ftruncateSync(descriptor, mib * MIB);
    closeSync(descriptor);
    const inodeOptions = inodes === undefined ? [] : ['-N', String(inodes)];
    execFileSync('mkfs.ext4', ['-q', '-m', '0', ...inodeOptions, image]);
    // `mount` sets the device up so that the kernel frees it with the unmount.
    execFileSync('mount', ['-o', 'loop', image, this.path]);
  }

  /** Takes the disk away, also from under who uses it; nothing to do where it was done before. */
  unmount(): void {
    this.#stopKeeping();
    if (this.#isMounted) unmount(this.path);
    this.#isMounted = false;
  }

  /** Bytes that may still be written. */
  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  /** Takes all room but this much. */
  fill(leaveBytes = 0): void {
    const descriptor = openSync(this.#hog, 'a');
    try {
      const block = Buffer.alloc(MIB, 1);
      while (this.freeBytes > leaveBytes) writeSync(descriptor, block, 0, Math.min(MIB, this.freeBytes - leaveBytes));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * Takes all room, and what is given back later too, until {@link free}: when a disk is filled, checkpoints that are just
   * being rotated away or given up still make room for another save.
   */
  keepFull(): void {
    this.fill();
    this.#keeper = setInterval(() => this.fill(), KEEP_MS);
  }

  /** Gives back what was taken. */
  free(): void {
    this.#stopKeeping();
    rmSync(this.#hog, { force: true });
  }

  remount(mode: 'ro' | 'rw'): void {
    // `ro` is refused while files are open for writing; the emergency remount of a failing disk asks nobody.
    execFileSync('mount', ['-o', `remount,${mode}`, this.path], { stdio: 'pipe' });
  }

  #stopKeeping(): void {
    if (this.#keeper !== null) clearInterval(this.#keeper);
    this.#keeper = null;
  }
}

function unmount(path: string): void {
  // Lazily when something holds it: the device then goes with the last of its users, and the world names those.
  if (spawnSync('umount', [path]).status !== 0) execFileSync('umount', ['-l', path]);
}

/** Null: this machine lets us mount. Else why not. */
export function whyNoMounts(): string | null {
  if (process.platform !== 'linux') return 'loop mounts are a thing of Linux';
  if (process.getuid?.() !== 0) return 'only root may mount';
  const tools = ['mkfs.ext4', 'mount', 'umount'].filter((tool) => spawnSync(tool, ['-V']).error !== undefined);
  if (tools.length > 0) return `not installed: ${tools.join(', ')}`;
  const probe = spawnSync('losetup', ['-f']);
  return probe.status === 0 ? null : `no loop device is to be had: ${String(probe.stderr).trim()}`;
}
