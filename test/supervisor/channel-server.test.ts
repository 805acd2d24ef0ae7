import { existsSync, rmSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { connectTo } from '../../src/protocol/connect.ts';
import type { WorkerConnection } from '../../src/protocol/connection.ts';
import type { SupervisorMessage, WorkerMessage } from '../../src/protocol/messages.ts';
import { ChannelServer, type ChannelServerOptions, type Hello } from '../../src/supervisor/channel-server.ts';
import { waitFor } from '../rig/wait-for.ts';
import { helloOf } from './hello.ts';
import { uniqueSession } from './launching.ts';

interface Bench {
  readonly server: ChannelServer;
  readonly session: string;
  readonly hellos: Hello[];
  readonly messages: WorkerMessage[];
  readonly problems: string[];
  readonly disconnected: number[];
}

async function serve(overrides: Partial<ChannelServerOptions> = {}): Promise<Bench> {
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

interface Client {
  readonly connection: WorkerConnection;
  readonly received: SupervisorMessage[];
  readonly closed: () => boolean;
}

async function connect({ server }: Bench): Promise<Client> {
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

function hello(bench: Bench, overrides: Partial<Hello> = {}): Hello {
  return helloOf(bench.session, 'the right token', overrides);
}

async function worker(bench: Bench, overrides: Partial<Hello> = {}): Promise<Client> {
  const client = await connect(bench);
  const before = bench.hellos.length;
  client.connection.send(hello(bench, overrides));
  await waitFor('the hello', () => bench.hellos.length > before);
  return client;
}

const phase = (name: 'train' | 'eval'): WorkerMessage => ({ v: 1, type: 'phase', phase: name });
const save = (request: string): WorkerMessage => ({ v: 1, type: 'save', request, kinds: ['manual'], reason: null });
const acknowledged = (request: string): WorkerMessage & SupervisorMessage => ({
  v: 1,
  type: 'acknowledged',
  request,
  lastStepAgeMs: 0,
});

test('a worker comes in with its hello; both sides hear one another', async () => {
  const bench = await serve();
  const client = await worker(bench, { step: 7 });
  expect(bench.hellos[0]).toMatchObject({ step: 7 });
  expect(bench.server.sendToWorker({ v: 1, type: 'continue' })).toBe('sent');
  await waitFor('the answer', () => client.received.length === 1);
  client.connection.send(phase('train'));
  await waitFor('the phase', () => bench.messages.length === 1);
  expect(bench.problems).toEqual([]);
});

test.each([
  ['token', { token: 'the wrong token' }],
  ['token', { token: '' }],
  ['token', { token: 'the right token ', session: 'another', role: 'control' }],
  ['session', { session: 'another' }],
] as [string, Partial<Hello>][])('refused with code %s: %j', async (code, overrides) => {
  const bench = await serve();
  const client = await connect(bench);
  client.connection.send(hello(bench, overrides));
  client.connection.send(phase('train'));
  await waitFor('the end of the connection', client.closed);
  expect(client.received).toMatchObject([{ type: 'refused', code }]);
  expect(bench.hellos).toEqual([]);
  expect(bench.messages).toEqual([]);
  expect(bench.server.connected).toBe(false);
  expect(bench.disconnected).toEqual([]);
});

test('what is not a hello first is refused', async () => {
  const bench = await serve();
  const client = await connect(bench);
  client.connection.send(phase('train'));
  await waitFor('the end of the connection', client.closed);
  expect(client.received).toMatchObject([{ type: 'refused', code: 'protocol' }]);
});

test('a hello of another protocol version is refused in words', async () => {
  const bench = await serve();
  const socket = await rawConnection(bench);
  const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
  socket.write(`${JSON.stringify({ ...hello(bench), v: 99 })}\n`);
  expect(JSON.parse(await answer)).toMatchObject({
    type: 'refused',
    code: 'protocol',
    message: expect.stringContaining('99'),
  });
});

test('a connection that says nothing is closed', async () => {
  const bench = await serve({ helloMs: 20 });
  const client = await connect(bench);
  await waitFor('the end of the connection', client.closed);
  expect(client.received).toMatchObject([{ type: 'refused', code: 'protocol' }]);
});

test('a worker that may not connect is refused, and the one before it stays', async () => {
  const bench = await serve({
    mayConnect: ({ attempt }) => (attempt === 1 ? null : { code: 'fenced', message: 'of an earlier attempt' }),
  });
  const first = await worker(bench);
  const second = await connect(bench);
  second.connection.send(hello(bench, { attempt: 2 }));
  await waitFor('the end of the connection', second.closed);
  expect(second.received).toMatchObject([{ type: 'refused', code: 'fenced' }]);
  bench.server.sendToWorker({ v: 1, type: 'continue' });
  await waitFor('the message', () => first.received.length === 1);
  expect(bench.disconnected).toEqual([]);
});

test('the newest worker connection wins; the end of an old one is no disconnection', async () => {
  const bench = await serve();
  const first = await worker(bench);
  const second = await worker(bench, { welcomed: true });
  await waitFor('the end of the first', first.closed);
  bench.server.sendToWorker({ v: 1, type: 'continue' });
  await waitFor('the message', () => second.received.length === 1);
  expect(first.received).toEqual([]);
  expect(bench.disconnected).toEqual([]);
  second.connection.destroy();
  await waitFor('the disconnection', () => bench.disconnected.length === 1);
  expect(bench.server.sendToWorker({ v: 1, type: 'continue' })).toBe('closed');
});

test('all that a worker sent is delivered before its disconnection', async () => {
  const bench = await serve();
  const client = await worker(bench);
  for (let count = 0; count < 1000; count += 1) client.connection.send(phase(count % 2 === 0 ? 'train' : 'eval'));
  await client.connection.close();
  await waitFor('the disconnection', () => bench.disconnected.length === 1);
  expect(bench.disconnected).toEqual([1000]);
});

test('malformed lines are told, a few, and the connection goes on', async () => {
  const bench = await serve();
  const socket = await rawConnection(bench);
  socket.write(`${JSON.stringify(hello(bench))}\n`);
  socket.write('no json\n'.repeat(1000));
  socket.write(`${JSON.stringify(phase('train'))}\n`);
  await waitFor('the message after it', () => bench.messages.length === 1);
  expect(bench.problems.length).toBeGreaterThan(0);
  expect(bench.problems.length).toBeLessThan(30);
});

test("a control client's request reaches the worker, and its answer comes back to that client alone", async () => {
  const bench = await serve();
  const trainer = await worker(bench);
  const [asking, other] = [await connect(bench), await connect(bench)];
  for (const client of [asking, other]) client.connection.send(hello(bench, { role: 'control' }));
  asking.connection.send(save('one'));
  other.connection.send(save('two'));
  await waitFor('both requests', () => trainer.received.length === 2);
  trainer.connection.send(acknowledged('one'));
  trainer.connection.send({
    v: 1,
    type: 'save-failed',
    request: 'one',
    step: 3,
    kinds: ['manual'],
    code: 'io',
    message: 'x',
    hint: null,
  });
  trainer.connection.send(acknowledged('another terminal, long gone'));
  await waitFor('both answers', () => asking.received.length === 2);
  expect(asking.received).toMatchObject([
    { type: 'acknowledged', request: 'one' },
    { type: 'save-failed', request: 'one', step: 3 },
  ]);
  expect(other.received).toEqual([]);
  expect(bench.messages).toHaveLength(3);
  expect(bench.hellos).toHaveLength(1);
});

test('a stop goes to the supervisor, which acknowledges it and later tells the end', async () => {
  const requests: string[] = [];
  const bench = await serve({
    onStop: ({ request, reason }) => {
      requests.push(`${request} ${reason}`);
      return 7;
    },
  });
  const trainer = await worker(bench);
  const client = await connect(bench);
  client.connection.send(hello(bench, { role: 'control' }));
  client.connection.send({ v: 1, type: 'stop', request: 'a', reason: 'night', deadlineMs: 1 });
  await waitFor('the acknowledgement', () => client.received.length === 1);
  bench.server.tellControls({ v: 1, type: 'ended', outcome: 'stopped-saved', reason: '', sequence: 3, step: 9 });
  await waitFor('the end', () => client.received.length === 2);
  expect(requests).toEqual(['a night']);
  expect(client.received).toMatchObject([
    { type: 'acknowledged', lastStepAgeMs: 7 },
    { type: 'ended', sequence: 3 },
  ]);
  expect(trainer.received).toEqual([]);
});

test('a save that its worker did not live to make fails', async () => {
  const bench = await serve();
  await worker(bench);
  const client = await connect(bench);
  client.connection.send(hello(bench, { role: 'control' }));
  client.connection.send(save('x'));
  client.connection.send(save('y'));
  await waitFor('both requests', () => bench.server.waiting === 2);
  bench.server.failSaves('worker-ended', 'it is dead');
  await waitFor('the answers', () => client.received.length === 2);
  expect(client.received).toMatchObject([
    { type: 'save-failed', request: 'x', code: 'worker-ended' },
    { type: 'save-failed', request: 'y', code: 'worker-ended' },
  ]);
});

test('two hundred control clients do not keep the worker out', async () => {
  const bench = await serve();
  for (let number = 0; number < 200; number += 1) {
    const client = await connect(bench).catch(() => null);
    client?.connection.send(hello(bench, { role: 'control' }));
  }
  const trainer = await worker(bench);
  bench.server.sendToWorker({ v: 1, type: 'continue' });
  await waitFor('the message', () => trainer.received.length === 1);
});

test('a request without a worker fails at once', async () => {
  const bench = await serve();
  const client = await connect(bench);
  client.connection.send(hello(bench, { role: 'control' }));
  client.connection.send(save('x'));
  await waitFor('the answer', () => client.received.length === 1);
  expect(client.received).toMatchObject([{ type: 'save-failed', request: 'x', code: 'no-worker' }]);
});

test('a control client cannot pose as the worker', async () => {
  const bench = await serve();
  const client = await connect(bench);
  client.connection.send(hello(bench, { role: 'control' }));
  client.connection.send(phase('train'));
  await waitFor('the problem', () => bench.problems.length === 1);
  expect(bench.messages).toEqual([]);
  expect(bench.server.connected).toBe(false);
});

test('a second supervisor is kept out; after close the socket is gone and another may listen', async () => {
  const bench = await serve();
  const options = {
    session: bench.session,
    token: 't',
    onHello: ignore,
    onMessage: ignore,
    onDisconnected: ignore,
    onProblem: ignore,
  };
  const second = new ChannelServer(options);
  await expect(second.listen()).rejects.toMatchObject({ code: 'session-held' });
  const client = await worker(bench);
  bench.server.sendToWorker({ v: 1, type: 'continue' });
  await bench.server.close();
  await waitFor('the end of the connection', client.closed);
  expect(client.received).toHaveLength(1);
  expect(existsSync(bench.server.path)).toBe(false);
  expect(bench.disconnected).toEqual([]);
  await second.listen();
  await second.close();
});

function ignore(): void {}

async function rawConnection({ server }: Bench): Promise<Socket> {
  const socket = createConnection({ path: server.path });
  onTestFinished(() => {
    socket.destroy();
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

test('a socket that was removed under it is made again, and the connected worker stays', async () => {
  const bench = await serve();
  const worker = await connect(bench);
  worker.connection.send(hello(bench));
  await waitFor('the first hello', () => bench.hellos.length === 1);
  expect(await bench.server.listenAgain()).toBe(false);
  rmSync(bench.server.path);
  expect(await bench.server.listenAgain()).toBe(true);
  const again = await connect(bench);
  expect(worker.closed()).toBe(false);
  again.connection.send(hello(bench));
  await waitFor('the second hello', () => bench.hellos.length === 2);
  await bench.server.close();
  expect(existsSync(bench.server.path)).toBe(false);
});
