import { expect, test } from 'vitest';
import { waitFor } from '../rig/wait-for.ts';
import { acknowledged, connect, hello, phase, save, serve, worker } from './channel-bench.ts';

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
