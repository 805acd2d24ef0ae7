import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  ensureSocketDirectory,
  MAX_SOCKET_PATH_BYTES,
  type SocketPlace,
  socketDirectory,
  socketPath,
} from '../../src/protocol/socket-path.ts';

let base: string;
let place: SocketPlace;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'nk-'));
  place = { platform: process.platform, uid: userInfo().uid, user: 'me', base };
});
afterEach(() => rm(base, { recursive: true, force: true }));

test('the directory is made private and accepted again', async () => {
  const directory = await ensureSocketDirectory(place);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  await expect(ensureSocketDirectory(place)).resolves.toBe(directory);
});

test('a directory that others may enter is refused with the command that helps', async () => {
  const directory = await ensureSocketDirectory(place);
  for (const mode of [0o710, 0o701, 0o770, 0o777]) {
    await chmod(directory, mode);
    await expect(ensureSocketDirectory(place)).rejects.toMatchObject({
      code: 'preflight',
      hint: `Run: chmod 700 ${directory}`,
    });
  }
});

test('a link, a file and a directory of somebody else are refused', async () => {
  const directory = socketDirectory(place);
  await mkdir(join(base, 'elsewhere'), { mode: 0o700 });
  await symlink(join(base, 'elsewhere'), directory);
  await expect(ensureSocketDirectory(place)).rejects.toMatchObject({
    code: 'preflight',
    path: directory,
    message: expect.stringContaining('symbolic link'),
  });
  await rm(directory);
  await writeFile(directory, '');
  await expect(ensureSocketDirectory(place)).rejects.toThrow('not a directory');
  await rm(directory);
  const other = { ...place, uid: place.uid + 1 };
  await mkdir(socketDirectory(other), { mode: 0o700 });
  await expect(ensureSocketDirectory(other)).rejects.toThrow(`belongs to user ${place.uid}`);
});

test('paths are short, one per session, and refused where they would be cut off', () => {
  const one = socketPath('20261122_120000_abcd', place);
  expect(one).not.toBe(socketPath('20261122_120000_abce', place));
  expect(socketPath('20261122_120000_abcd', place)).toBe(one);
  const largest = { ...place, uid: 4_294_967_295, base: '/tmp' };
  expect(Buffer.byteLength(socketPath('s', largest)) + 12).toBeLessThanOrEqual(MAX_SOCKET_PATH_BYTES);
  expect(() => socketPath('s', { ...place, base: `/tmp/${'é'.repeat(45)}` })).toThrow('a socket path may have');
});

test('on Windows it is a named pipe', () => {
  expect(socketPath('s', { ...place, platform: 'win32' })).toMatch(/^\\\\\.\\pipe\\nkat-me-[0-9a-f]{16}$/);
});
