/** How a stop reaches a supervisor that `recover` started, where signals can be sent and where not. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { SessionFile } from '../../../src/checkpoint/types.ts';
import { type RecoveringEnd, RecoveringSession } from '../../../src/cli/recover/recovering-session.ts';
import { socketPath } from '../../../src/protocol/socket-path.ts';
import { temporaryDirectory } from '../../rig/temporary-directory.ts';
import { waitFor } from '../../rig/wait-for.ts';

interface Told {
  readonly name: string;
  readonly text?: string;
}

/** A supervisor that tells what it hears and ends after a stop, or where it does not listen after 30 s. */
function start(platform: NodeJS.Platform, listens: boolean) {
  const id = `20260101_000000_${Math.random().toString(36).slice(2, 6)}`;
  const program = join(temporaryDirectory(), 'program.mjs');
  const path = JSON.stringify(socketPath(id));
  writeFileSync(
    program,
    `import { mkdirSync } from 'node:fs'; import { createServer } from 'node:net'; import { dirname } from 'node:path';
    const tell = (name, text) => process.stdout.write(JSON.stringify({ name, text, at: '' }) + '\\n');
    const end = () => { server.close(); setImmediate(() => process.exit(75)); };
    const server = createServer((socket) => socket.setEncoding('utf8').on('data', (text) => {
      tell('heard', text);
      if (!text.includes('"stop"')) return;
      socket.end(JSON.stringify({ v: 1, type: 'ended', outcome: 'stopped-saved', reason: '', sequence: 1, step: 1 }) + '\\n');
      end();
    }));
    mkdirSync(dirname(${path}), { recursive: true, mode: 0o700 });
    process.on('SIGINT', () => { tell('signalled', 'SIGINT'); end(); });
    ${listens ? `server.listen(${path}, () => tell('listens'));` : `tell('listens'); setTimeout(() => undefined, 30_000);`}`,
  );
  const file = { id, token: 'secret', identity: { cwd: process.cwd() } } as unknown as SessionFile;
  const told: Told[] = [];
  const ends: RecoveringEnd[] = [];
  const session = new RecoveringSession({
    file,
    program,
    environment: process.env,
    platform,
    onEvent: (event) => told.push(event as unknown as Told),
    onEnd: (end) => ends.push(end),
  });
  const stopped = async (): Promise<readonly Told[]> => {
    await waitFor('its server', () => told.length > 0);
    session.signal('SIGINT');
    await waitFor('its end', () => ends.length > 0);
    expect(ends).toEqual([{ code: 75, message: null }]);
    return told.slice(1);
  };
  return { stopped };
}

it.concurrent('where signals can be sent it gets the signal', async () => {
  expect(await start('linux', true).stopped()).toMatchObject([{ name: 'signalled' }]);
});

it.concurrent('on Windows, where a signal would end it at once, it is asked over its channel to save and stop', async () => {
  const told = await start('win32', true).stopped();
  expect(told.every(({ name }) => name === 'heard')).toBe(true);
  const words = told.map(({ text }) => text).join('');
  expect(words).toContain('"token":"secret"');
  expect(words).toMatch(/"type":"stop".*"reason":"SIGINT to recover"/);
});

it.concurrent('one that does not listen yet has nothing to save, and is ended', async () => {
  expect(await start('win32', false).stopped()).toMatchObject([{ name: 'signalled' }]);
});
