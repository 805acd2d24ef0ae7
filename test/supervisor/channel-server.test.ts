import { existsSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ChannelServer, type Hello } from '../../src/supervisor/channel-server.ts';
import { waitFor } from '../rig/wait-for.ts';
import { connect, hello, phase, rawConnection, serve, worker } from './channel-bench.ts';

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

function ignore(): void {}
