/**
 * Where a session's channel is. Not under XDG_RUNTIME_DIR, which vanishes at logout while a worker trains on; and
 * short, because a path past the limit is cut off in silence and two sessions would meet on one socket.
 */
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { errnoOf, NkatError } from '../errors.ts';

/** Longest socket path in bytes. Source: `sun_path`, 108 bytes on Linux and 104 on macOS, less the final zero. */
export const MAX_SOCKET_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/** Room that {@link temporarySocketPath} takes beyond the path itself. */
const TEMPORARY_BYTES = 12;

export interface SocketPlace {
  readonly platform: NodeJS.Platform;
  readonly uid: number;
  readonly user: string;
  /** The folder that every user may write to. */
  readonly base: string;
}

/** This process's place; `/tmp` and not TMPDIR, so that all terminals of a user agree on it. */
export function socketPlace(): SocketPlace {
  const uid = process.getuid?.();
  // A container may run as somebody whom no passwd file knows; a name is needed for a pipe only.
  const { uid: known, username } = uid === undefined ? userInfo() : { uid, username: '' };
  return { platform: process.platform, uid: known, user: username, base: '/tmp' };
}

/** `/tmp/nkat-<uid>`: private to the user, checked by {@link ensureSocketDirectory}. */
export function socketDirectory(place: SocketPlace = socketPlace()): string {
  return join(place.base, `nkat-${place.uid}`);
}

/**
 * The socket (on Windows the named pipe) of a session: a function of its id alone.
 * @throws NkatError 'preflight' when the path would be cut off.
 */
export function socketPath(session: string, place: SocketPlace = socketPlace()): string {
  const hash = createHash('sha256').update(session).digest('hex').slice(0, 16);
  if (place.platform === 'win32') return `\\\\.\\pipe\\nkat-${place.user}-${hash}`;
  const path = join(socketDirectory(place), hash);
  const bytes = Buffer.byteLength(path) + TEMPORARY_BYTES;
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw new NkatError(`a socket path may have ${MAX_SOCKET_PATH_BYTES} bytes, this one needs ${bytes}`, {
      code: 'preflight',
      operation: 'name the socket',
      path,
    });
  }
  return path;
}

/** Where a socket is bound before it is moved to its own name; at most {@link TEMPORARY_BYTES} longer. */
export function temporarySocketPath(path: string, pid: number): string {
  return `${path}.${pid}`;
}

/**
 * Makes `/tmp/nkat-<uid>` if need be and checks that nobody else can put a socket of theirs into it.
 * @throws NkatError 'preflight' when it is a link, no directory, not ours, or open to others; 'no-space', 'io' when the disk
 * does not take it.
 */
export async function ensureSocketDirectory(place: SocketPlace = socketPlace()): Promise<string> {
  const directory = socketDirectory(place);
  if (place.platform === 'win32') return directory;
  try {
    await mkdir(directory, { mode: 0o700 });
    // The umask may have taken bits away; it cannot have added any.
    await chmod(directory, 0o700);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') {
      throw refusal(directory, 'it cannot be made', `Check that ${place.base} is writable.`, error);
    }
  }
  const found = await lstat(directory);
  const remove = `Look what it is, then remove it: rm -r ${directory}`;
  if (found.isSymbolicLink()) throw refusal(directory, 'it is a symbolic link', remove);
  if (!found.isDirectory()) throw refusal(directory, 'it is not a directory', remove);
  if (found.uid !== place.uid) {
    throw refusal(directory, `it belongs to user ${found.uid}`, 'Ask its owner or the administrator to remove it.');
  }
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8);
    throw refusal(directory, `others may enter it (mode ${mode})`, `Run: chmod 700 ${directory}`);
  }
  return directory;
}

function refusal(path: string, why: string, hint: string, cause?: unknown): NkatError {
  const operation = 'prepare the folder for sockets';
  const errno = errnoOf(cause);
  if (errno !== null && DISK_ERRORS.has(errno)) return noSocket(path, operation, cause);
  const message = `the folder for sockets cannot be trusted: ${why}`;
  return new NkatError(message, { code: 'preflight', operation, path, hint, cause });
}

/** The disk's doing; everything else that is wrong with the folder wants somebody to look at it. */
const DISK_ERRORS: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']);

/** Where the system refuses a socket: no room, a file system that is read-only, a folder that somebody shut. */
export function noSocket(path: string, operation: string, cause: unknown): NkatError {
  const errno = errnoOf(cause);
  const folder = dirname(path);
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new NkatError(`there is no room for sockets (${errno})`, {
      code: 'no-space',
      operation,
      path,
      hint: `Free some space or some inodes there: df -h ${folder}; df -i ${folder}`,
      cause,
    });
  }
  const hint =
    errno === 'EROFS'
      ? `Make it writable again: mount -o remount,rw "$(findmnt -no TARGET -T ${folder})"; dmesg says why the kernel took it away.`
      : `Look at the folder and its disk: ls -ld ${folder}; dmesg | tail`;
  const message = errno === 'EROFS' ? 'the disk with the sockets is read-only' : `no socket can be made (${errno})`;
  return new NkatError(message, { code: 'io', operation, path, hint, cause });
}
