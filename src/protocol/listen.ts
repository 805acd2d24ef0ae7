/** The supervisor's side of the channel. */
import { chmod, rename, rm, stat } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { errnoOf, NkatError } from '../errors.ts';
import { Connection, type SupervisorConnection } from './connection.ts';
import { decodeWorkerMessage } from './decode.ts';
import { noSocket, temporarySocketPath } from './socket-path.ts';

/** More than any job has ranks; further connections are closed at once. */
const MAX_CONNECTIONS = 64;
const LISTEN = 'listen on the socket';

export interface Listener {
  readonly path: string;
  /** Stops accepting and closes every connection. The path goes only if it still is this listener's. */
  close(): Promise<void>;
}

/**
 * Listens on a session's path. A socket that a dead supervisor left is replaced; the caller holds the session's claim,
 * which is what keeps two supervisors apart.
 *
 * The socket is bound under a name of its own and renamed into place: so it is 0600 before anybody sees it, there is no
 * moment without a socket, and our close cannot remove the socket of a successor.
 * @throws NkatError 'session-held' when somebody answers on the path, 'no-space' where no socket finds room, 'io' where the disk refuses it.
 */
export async function listen(
  path: string,
  onConnection: (connection: SupervisorConnection) => void,
): Promise<Listener> {
  if (await answers(path)) {
    throw new NkatError('another process already answers on the socket of this session', {
      code: 'session-held',
      operation: LISTEN,
      path,
    });
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(new Connection(socket, decodeWorkerMessage));
  });
  server.maxConnections = MAX_CONNECTIONS;

  const inode = process.platform === 'win32' ? await bindPipe(server, path) : await bindSocket(server, path);
  return {
    path,
    async close() {
      if (inode !== null) await removeOwn(path, inode);
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function bindPipe(server: Server, path: string): Promise<null> {
  await bind(server, path);
  return null;
}

async function bindSocket(server: Server, path: string): Promise<bigint | null> {
  const temporary = temporarySocketPath(path, process.pid);
  // Of an earlier process with our pid, which died between bind and rename.
  await rm(temporary, { force: true });
  try {
    await bind(server, temporary);
    await chmod(temporary, 0o600);
    const inode = await inodeOf(temporary);
    await rename(temporary, path);
    return inode;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    throw noSocket(path, LISTEN, error);
  }
}

/**
 * What cannot be removed (the file system became read-only meanwhile) stays: nobody answers on it any more, and the next
 * listener puts its own in that place. The end of a training is not to fail for it.
 */
async function removeOwn(path: string, inode: bigint): Promise<void> {
  try {
    if ((await inodeOf(path)) === inode) await rm(path, { force: true });
  } catch (error) {
    if (errnoOf(error) === null) throw error;
  }
}

function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

async function inodeOf(path: string): Promise<bigint | null> {
  try {
    return (await stat(path, { bigint: true })).ino;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Whether a living process accepts on this path. Full backlog and missing rights count as living. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const word = errnoOf(error);
      resolve(word !== 'ENOENT' && word !== 'ECONNREFUSED');
    });
  });
}
