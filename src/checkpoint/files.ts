/**
 * Every disk operation of the store, so that a test can count, refuse or cut any of them. The rest of this folder
 * never touches `node:fs` (only synchronous-reads.ts, and process-identity.ts to read /proc). Failures are the system's
 * own errors, with their errno; the callers decide what they mean.
 */
import { constants } from 'node:fs';
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rmdir,
  statfs,
  symlink,
  unlink,
} from 'node:fs/promises';
import { errnoOf } from '../errors.ts';

/** `create` refuses an existing file; `reopen` and `append` write to a file, `append` creating it where missing. */
export type OpenMode = 'read' | 'create' | 'reopen' | 'append';

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly bytes: number;
}

export interface StoreFile {
  /** True when the page cache is passed by: memory, position and length must be multiples of 4096. */
  readonly direct: boolean;
  /** Bytes read, less than `length` at the end of the file and possibly earlier. */
  read(target: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  /** Bytes written, possibly less than `length`. `position` null: at the end. */
  write(source: Uint8Array, offset: number, length: number, position: number | null): Promise<number>;
  truncate(bytes: number): Promise<void>;
  /** fsync. A failure is final for the file: the kernel may have dropped the pages, so a second try proves nothing. */
  sync(): Promise<void>;
  facts(): Promise<FileFacts>;
  close(): Promise<void>;
}

export interface StoreFiles {
  /** Never follows a symbolic link in the last part of the path (ELOOP). `direct` is a wish: see the result. */
  open(path: string, mode: OpenMode, direct?: boolean): Promise<StoreFile>;
  /** lstat: a link is reported as one. */
  facts(path: string): Promise<FileFacts>;
  /** Names inside a directory, in no particular order. */
  list(path: string): Promise<string[]>;
  /** One level, mode 0700. */
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Hard link; fails with EEXIST where `to` exists: the exclusive creation of a complete file. */
  link(from: string, to: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string>;
  unlink(path: string): Promise<void>;
  /** An empty directory only. */
  removeDirectory(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Bytes that this user may still write on the file system of `path`. */
  freeBytes(path: string): Promise<number>;
}

const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;
/** A pipe that stands in place of a file would otherwise hold its opener for ever. Nothing to a regular file. */
const NO_WAIT = constants.O_NONBLOCK ?? 0;
/** 0 where the platform has no such flag. */
const DIRECT = process.platform === 'linux' ? (constants.O_DIRECT ?? 0) : 0;

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY | NO_WAIT,
  create: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
  reopen: constants.O_WRONLY,
  append: constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | NO_WAIT,
};

/** Of a file that is read through the page cache. */
export const READ_FLAGS = FLAGS.read | NO_FOLLOW;

/** The real disk. */
export const nodeFiles: StoreFiles = {
  async open(path, mode, direct = false) {
    const flags = FLAGS[mode] | NO_FOLLOW;
    if (direct && DIRECT !== 0) {
      try {
        return openedFile(await open(path, flags | DIRECT, 0o600), true);
      } catch (error) {
        if (errnoOf(error) !== 'EINVAL') throw error;
        // The file system refuses O_DIRECT. Linux may have created the file before it refused.
        return openedFile(await open(path, flags & ~constants.O_EXCL, 0o600), false);
      }
    }
    return openedFile(await open(path, flags, 0o600), false);
  },
  async facts(path) {
    return factsOf(await lstat(path));
  },
  list: (path) => readdir(path),
  makeDirectory: (path) => mkdir(path, { mode: 0o700 }).then(() => undefined),
  rename,
  link,
  symlink: (target, path) => symlink(target, path),
  readLink: (path) => readlink(path),
  unlink,
  removeDirectory: (path) => rmdir(path),
  async syncDirectory(path) {
    // Windows cannot open a directory for syncing; NTFS journals its metadata.
    if (process.platform === 'win32') return;
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

function openedFile(handle: FileHandle, direct: boolean): StoreFile {
  return {
    direct,
    read: async (target, offset, length, position) => (await handle.read(target, offset, length, position)).bytesRead,
    write: async (source, offset, length, position) =>
      (await handle.write(source, offset, length, position)).bytesWritten,
    truncate: (bytes) => handle.truncate(bytes),
    sync: () => handle.sync(),
    facts: async () => factsOf(await handle.stat()),
    close: () => handle.close(),
  };
}

export function factsOf(stats: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  size: number;
}): FileFacts {
  const kind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other';
  return { kind, bytes: stats.size };
}
