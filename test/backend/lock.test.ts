import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { whoChanges, withBackendsLocked } from '../../src/backend/lock.ts';
import { NkatError } from '../../src/errors.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { atTestEnd } from '../rig/test-end.ts';

const refused = (errno: string): Error =>
  Object.assign(new Error(`${errno}: it was refused`), { code: errno, syscall: 'open', path: '/x' });

test('one at a time: who comes second is told who is there; the right of a dead process is taken over', async () => {
  const folder = join(temporaryDirectory(), 'backends');
  expect(await whoChanges(folder)).toBeNull();
  const program = `
    import { withBackendsLocked } from ${JSON.stringify(new URL('../../dist/backend/lock.js', import.meta.url).href)};
    await withBackendsLocked(process.argv[1], () => new Promise(() => {
      console.log('held');
      setInterval(() => undefined, 1000);
    }));`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', program, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  atTestEnd(() => holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  await expect(withBackendsLocked(folder, async () => 'both')).rejects.toMatchObject({
    code: 'session-held',
    message: expect.stringContaining(`pid ${holder.pid}`),
  });
  expect(await whoChanges(folder)).toBe(holder.pid);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(await whoChanges(folder)).toBeNull();
  expect(await withBackendsLocked(folder, async () => 'after it')).toBe('after it');
});

test('a folder that nobody can make is told with its name and the cure, not in the words of sessions', async () => {
  // Not even the system's administrator makes folders there.
  const folder = '/sys/nkat/backends';
  await expect(withBackendsLocked(folder, async () => undefined)).rejects.toMatchObject({
    code: 'io',
    operation: 'change the native backends',
    message: expect.stringMatching(/^(?:this user may not write there|its disk is read-only)$/),
    path: folder,
    hint: expect.stringContaining('NKAT_HOME'),
  });
});

test('what the disk refuses while it works is no defect; what a program said, and defects, stay what they are', async () => {
  const folder = join(temporaryDirectory(), 'backends');
  const failing = (error: Error) => withBackendsLocked(folder, () => Promise.reject(error));
  await expect(failing(refused('ENOSPC'))).rejects.toMatchObject({ code: 'no-space', path: folder });
  await expect(failing(refused('EROFS'))).rejects.toMatchObject({ code: 'io', message: 'its disk is read-only' });
  const own = new NkatError('pip failed', { code: 'download-failed', operation: 'fetch it' });
  await expect(failing(own)).rejects.toBe(own);
  const defect = new TypeError('x is undefined');
  await expect(failing(defect)).rejects.toBe(defect);
});
