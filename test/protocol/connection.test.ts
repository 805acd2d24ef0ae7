import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connectTo } from '../../src/protocol/connect.ts';
import type { ChannelProblem, SupervisorConnection } from '../../src/protocol/connection.ts';
import { MAX_UNREAD_BYTES } from '../../src/protocol/connection.ts';
import { type Listener, listen } from '../../src/protocol/listen.ts';
import type { MessageOf, SupervisorMessage, WorkerMessage } from '../../src/protocol/messages.ts';

/** Bounded so that a broken build fails with words; the bound measures nothing. */
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 100_000, interval: 10 });

let directory: string;
let path: string;
const cleanUps: (() => unknown)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nk-'));
  path = join(directory, 's');
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await rm(directory, { recursive: true, force: true });
});

async function listening(onConnection: (connection: SupervisorConnection) => void): Promise<Listener> {
  const listener = await listen(path, onConnection);
  cleanUps.push(() => listener.close());
  return listener;
}

function rawSocket(): Socket {
  const socket = createConnection({ path });
  socket.on('error', () => socket.destroy());
  cleanUps.push(() => socket.destroy());
  return socket;
}

const notice = (message: string): MessageOf<WorkerMessage, 'notice'> => ({
  v: 1,
  type: 'notice',
  level: 'info',
  message,
});
const progress = (step: number): MessageOf<WorkerMessage, 'progress'> => ({
  v: 1,
  type: 'progress',
  phase: 'train',
  epoch: 0,
  epochs: null,
  step,
  totalSteps: null,
  percent: null,
  loss: null,
  metrics: {},
  stepsPerSecond: null,
  lastStepAgeMs: 0,
  best: null,
  skippedSaves: 0,
  waiting: null,
  report: null,
});

test('messages go both ways in order, and the end is told after the last of them', async () => {
  const seen: string[] = [];
  await listening((connection) => {
    connection.onMessage((message) => seen.push(message.type === 'notice' ? message.message : message.type));
    connection.onClose((error) => seen.push(`closed ${String(error)}`));
    connection.send({ v: 1, type: 'pause', reason: null });
  });
  const connection = await connectTo(path);
  const answers: SupervisorMessage[] = [];
  connection.onMessage((message) => answers.push(message));
  for (let i = 0; i < 1000; i += 1) connection.send(notice(String(i)));
  await connection.close();
  await eventually(() => expect(seen.at(-1)).toBe('closed null'));
  expect(seen.slice(0, -1)).toEqual(Array.from({ length: 1000 }, (_, i) => String(i)));
  await eventually(() => expect(answers).toEqual([{ v: 1, type: 'pause', reason: null }]));
  expect(connection.open).toBe(false);
  expect(connection.send(notice('late'))).toBe('closed');
});

test('the socket is private from its first moment, and goes with its listener', async () => {
  const listener = await listening(() => undefined);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await listener.close();
  await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a socket that a killed supervisor left is replaced, a living one is not', async () => {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  expect(spawnSync(process.execPath, ['-e', script]).signal).toBe('SIGKILL');
  expect((await stat(path)).isSocket()).toBe(true);
  await listening((connection) => connection.onMessage(() => undefined));
  const connection = await connectTo(path);
  await connection.close();
  await expect(listen(path, () => undefined)).rejects.toMatchObject({ code: 'session-held', path });
});

test('closing an older listener leaves the socket of its successor', async () => {
  const first = await listening(() => undefined);
  await rm(path);
  let connected = 0;
  await listening((connection) => {
    connected += 1;
    connection.onMessage(() => undefined);
  });
  await first.close();
  const connection = await connectTo(path);
  await eventually(() => expect(connected).toBe(1));
  await connection.close();
});

test('connecting where nobody listens tells why', async () => {
  await expect(connectTo(path)).rejects.toMatchObject({ code: 'ENOENT' });
  await writeFile(path, '');
  await expect(connectTo(path)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('garbage is reported a bounded number of times and the messages between it arrive', async () => {
  const problems: ChannelProblem[] = [];
  const seen: WorkerMessage[] = [];
  await listening((connection) => {
    connection.onProblem((problem) => problems.push(problem));
    connection.onMessage((message) => seen.push(message));
  });
  const socket = rawSocket();
  socket.write(
    `${'rubbish\n'.repeat(5000)}{"v":1,"type":"from-the-future"}\n${JSON.stringify(notice('still here'))}\n`,
  );
  await eventually(() => expect(seen).toEqual([notice('still here')]));
  expect(problems.map((problem) => problem.dropped)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096,
  ]);
});

test('a flood is read in slices: timers of the process go on, and memory stays bounded', async () => {
  let count = 0;
  let turns = 0;
  await listening((connection) => connection.onMessage(() => (count += 1)));
  const line = `${JSON.stringify(progress(1))}\n`;
  const total = 200_000;
  const tick = (): void => {
    turns += 1;
    if (count < total) setImmediate(tick);
  };
  setImmediate(tick);
  const before = process.memoryUsage().rss;
  const socket = rawSocket();
  const block = line.repeat(1000);
  for (let i = 0; i < total / 1000; i += 1) {
    if (!socket.write(block)) await new Promise((resolve) => socket.once('drain', resolve));
  }
  await eventually(() => expect(count).toBe(total));
  expect(turns).toBeGreaterThan(total / 400);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

test('a listener that is busy is not read for: the flood waits in the socket of who sends it', async () => {
  let asked = 0;
  let unsent = 0;
  let seen = 0;
  const socket = { now: null as Socket | null };
  await listening((connection) => {
    connection.waitWhile(() => {
      asked += 1;
      // More often than the flood has chunks, were they read.
      if (asked === 200) unsent = socket.now?.writableLength ?? 0;
      return asked <= 200;
    });
    connection.onMessage(() => (seen += 1));
  });
  const line = `${JSON.stringify(notice('x'.repeat(1_000)))}\n`;
  const total = 4_000;
  socket.now = rawSocket();
  socket.now.write(line.repeat(total));
  await eventually(() => expect(seen).toBe(total));
  expect(unsent).toBeGreaterThan((line.length * total) / 2);
});

/** A peer that accepts and never reads. */
async function deafServer(): Promise<Server> {
  const server = createServer((socket) => {
    socket.pause();
    cleanUps.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, () => resolve()));
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
  return server;
}

test('a peer that does not read gets the newest progress only', async () => {
  await deafServer();
  const connection = await connectTo(path);
  connection.onMessage(() => undefined);
  cleanUps.push(() => connection.destroy());
  const outcomes = new Set<string>();
  const before = process.memoryUsage().rss;
  for (let step = 0; step < 300_000; step += 1) outcomes.add(connection.send(progress(step)));
  expect(outcomes).toEqual(new Set(['sent', 'held']));
  expect(connection.open).toBe(true);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
});

test('held progress is sent when the peer reads again, before what came after it', async () => {
  const peers: Socket[] = [];
  const server = createServer((socket) => {
    socket.pause();
    peers.push(socket);
    cleanUps.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(path, () => resolve()));
  cleanUps.push(() => new Promise((resolve) => server.close(resolve)));
  const connection = await connectTo(path);
  connection.onMessage(() => undefined);
  cleanUps.push(() => connection.destroy());
  let step = 0;
  while (connection.send(progress(step)) === 'sent') step += 1;
  step += 1;
  connection.send(progress(step));
  connection.send(notice('after'));
  await eventually(() => expect(peers).toHaveLength(1));
  let text = '';
  peers[0]?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  peers[0]?.resume();
  await eventually(() => expect(text).toContain('after'));
  const lines = text.trimEnd().split('\n').slice(-2);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ type: 'progress', step });
});

test('a peer that leaves too much unread is given up, with a reason', async () => {
  await deafServer();
  const connection = await connectTo(path);
  connection.onMessage(() => undefined);
  const problems: ChannelProblem[] = [];
  const closed: (Error | null)[] = [];
  connection.onProblem((problem) => problems.push(problem));
  connection.onClose((error) => closed.push(error));
  let sent = 0;
  const message = notice('m'.repeat(10_000));
  while (connection.send(message) === 'sent') sent += 1;
  expect(sent * 10_000).toBeLessThan(MAX_UNREAD_BYTES + 1024 * 1024);
  await eventually(() => expect(closed).toHaveLength(1));
  expect(problems.map((problem) => problem.problem)).toEqual(['unread']);
  expect(closed[0]).toMatchObject({ code: 'protocol' });
});

test('while its receiver is busy a connection handles nothing and reads nothing; then all, in order', async () => {
  let busy = false;
  const seen: number[] = [];
  let accepted: SupervisorConnection | null = null;
  await listening((connection) => {
    accepted = connection;
    connection.waitWhile(() => busy);
    connection.onMessage((message) => {
      if (message.type === 'progress') seen.push(message.step);
      // What a message leads to takes time.
      if (seen.length === 10) busy = true;
    });
  });
  const socket = rawSocket();
  const line = 'x'.repeat(900);
  for (let step = 1; step <= 5_000; step += 1) {
    socket.write(`${JSON.stringify({ ...progress(step), padding: line })}\n`);
  }
  await eventually(() => expect(seen).toHaveLength(10));
  // The kernel makes the sender wait: most of 5 MB is still on its side.
  await eventually(() => expect(socket.writableLength).toBeGreaterThan(2_000_000));
  expect(accepted).not.toBeNull();
  expect(seen).toHaveLength(10);
  busy = false;
  await eventually(() => expect(seen).toHaveLength(5_000));
  expect(seen).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
});
