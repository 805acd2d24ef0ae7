/** The worker's way to its supervisor. */
import { createConnection } from 'node:net';
import { Connection, type WorkerConnection } from './connection.ts';
import { decodeSupervisorMessage } from './decode.ts';

/**
 * Connects to a supervisor's socket or named pipe.
 * @throws the socket's own error: ENOENT (no supervisor was ever there), ECONNREFUSED (it died), EACCES.
 */
export function connectTo(path: string): Promise<WorkerConnection> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.removeListener('error', reject);
      resolve(new Connection(socket, decodeSupervisorMessage));
    });
  });
}
