import { createConnection, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { connectTo } from '../../src/protocol/connect.ts';
import type { WorkerConnection } from '../../src/protocol/connection.ts';
import type { SupervisorMessage, WorkerMessage } from '../../src/protocol/messages.ts';
import { ChannelServer, type ChannelServerOptions, type Hello } from '../../src/supervisor/channel-server.ts';
import { waitFor } from '../rig/wait-for.ts';
import { helloOf } from './hello.ts';
import { uniqueSession } from './launching.ts';

export interface Bench {
  readonly server: ChannelServer;
  readonly session: string;
  readonly hellos: Hello[];
  readonly messages: WorkerMessage[];
  readonly problems: string[];
  readonly disconnected: number[];
}

export async function serve(overrides: Partial<ChannelServerOptions> = {}): Promise<Bench> {
  const session = uniqueSession();
  const bench = {
    session,
    hellos: [] as Hello[],
    messages: [] as WorkerMessage[],
    problems: [] as string[],
    disconnected: [] as number[],
  };
  const server = new ChannelServer({
    session,
    token: 'the right token',
    onHello: (hello) => bench.hellos.push(hello),
    onMessage: (message) => bench.messages.push(message),
    onDisconnected: () => bench.disconnected.push(bench.messages.length),
    onProblem: (problem) => bench.problems.push(problem),
    ...overrides,
  });
  await server.listen();
  onTestFinished(() => server.close());
  return { server, ...bench };
}

export interface Client {
  readonly connection: WorkerConnection;
  readonly received: SupervisorMessage[];
  readonly closed: () => boolean;
}

export async function connect({ server }: Bench): Promise<Client> {
  const connection = await connectTo(server.path);
  const received: SupervisorMessage[] = [];
  let closed = false;
  connection.onMessage((message) => received.push(message));
  connection.onClose(() => {
    closed = true;
  });
  onTestFinished(() => connection.destroy());
  return { connection, received, closed: () => closed };
}

export function hello(bench: Bench, overrides: Partial<Hello> = {}): Hello {
  return helloOf(bench.session, 'the right token', overrides);
}

export async function worker(bench: Bench, overrides: Partial<Hello> = {}): Promise<Client> {
  const client = await connect(bench);
  const before = bench.hellos.length;
  client.connection.send(hello(bench, overrides));
  await waitFor('the hello', () => bench.hellos.length > before);
  return client;
}

export const phase = (name: 'train' | 'eval'): WorkerMessage => ({ v: 1, type: 'phase', phase: name });
export const save = (request: string): WorkerMessage => ({
  v: 1,
  type: 'save',
  request,
  kinds: ['manual'],
  reason: null,
});
export const acknowledged = (request: string): WorkerMessage & SupervisorMessage => ({
  v: 1,
  type: 'acknowledged',
  request,
  lastStepAgeMs: 0,
});

export async function rawConnection({ server }: Bench): Promise<Socket> {
  const socket = createConnection({ path: server.path });
  // What is sent to a supervisor that has hung up is lost, as the test meant it.
  socket.on('error', () => socket.destroy());
  onTestFinished(() => {
    socket.destroy();
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}
