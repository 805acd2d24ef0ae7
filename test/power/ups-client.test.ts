import { createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { UpsClient } from '../../src/power/ups-client.ts';
import type { UpsReport } from '../../src/power/ups-policy.ts';

const ON_LINE: UpsReport = { kind: 'status', words: ['OL', 'CHRG'] };

interface Served {
  readonly client: UpsClient;
  readonly server: Server;
  readonly sockets: Socket[];
}

/** A server that answers each question with the next text, the last one again and again. */
async function served(...answers: readonly string[]): Promise<Served> {
  const sockets: Socket[] = [];
  let asked = 0;
  // Half open, as upsd is: it sees by our own end that we have noticed its.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (question) => {
      expect(question.toString()).toBe('GET VAR rack ups.status\n');
      socket.write(answers[Math.min(asked++, answers.length - 1)] ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const client = new UpsClient({ name: 'rack', host: '127.0.0.1', port });
  onTestFinished(() => {
    client.close();
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { client, server, sockets };
}

test('one connection serves many questions', async () => {
  const { client, sockets } = await served('VAR rack ups.status "OL CHRG"\n');
  expect([await client.ask(), await client.ask()]).toEqual([ON_LINE, ON_LINE]);
  expect(sockets).toHaveLength(1);
});

test('a server that ends the connection between two questions is noticed at once, and asked anew', async () => {
  const { client, sockets } = await served('VAR rack ups.status "OL CHRG"\n');
  await client.ask();
  const [first] = sockets;
  const noticed = new Promise((resolve) => first?.once('end', resolve));
  first?.end();
  await noticed;
  expect(await client.ask()).toEqual(ON_LINE);
  expect(sockets).toHaveLength(2);
});

test('a refusal is silence with its words, and the next question is asked on a new connection', async () => {
  const { client, sockets } = await served('ERR DATA-STALE\n', 'VAR rack ups.status "OL CHRG"\n');
  expect(await client.ask()).toEqual({ kind: 'silent', reason: 'ERR DATA-STALE' });
  expect(await client.ask()).toEqual(ON_LINE);
  expect(sockets).toHaveLength(2);
});

test('an answer in pieces is read as one, one without an end is silence', async () => {
  const { client, sockets } = await served('VAR rack ups.', 'x'.repeat(5_000));
  const answer = client.ask();
  await expect.poll(() => sockets[0]?.bytesWritten).toBeGreaterThan(0);
  sockets[0]?.write('status "OL CHRG"\n');
  expect(await answer).toEqual(ON_LINE);
  expect(await client.ask()).toEqual({ kind: 'silent', reason: 'an answer without an end' });
});

test('nobody there, and a server that goes away in the midst of a question, are silence', async () => {
  const { client, server, sockets } = await served('VAR rack');
  const answer = client.ask();
  await expect.poll(() => sockets[0]?.bytesWritten).toBeGreaterThan(0);
  sockets[0]?.end();
  expect(await answer).toEqual({ kind: 'silent', reason: 'the connection was closed' });
  await new Promise((resolve) => server.close(resolve));
  expect(await client.ask()).toMatchObject({ kind: 'silent', reason: expect.stringContaining('ECONNREFUSED') });
});

test('who closes while a question is open has his answer', async () => {
  const { client, sockets } = await served('');
  const answer = client.ask();
  await expect.poll(() => sockets.length).toBe(1);
  client.close();
  expect(await answer).toMatchObject({ kind: 'silent' });
});
