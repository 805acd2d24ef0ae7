import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectory } from '../src/make-directory.ts';
import { COMMAND } from './cli/world.ts';
import { temporaryDirectory } from './rig/temporary-directory.ts';

test('made with those above it, in the mode that was asked for; made twice is made', () => {
  const directory = join(temporaryDirectory(), 'a', 'b');
  makeDirectory(directory, 0o700);
  makeDirectory(directory, 0o700);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
});

test('a file in its place, or above it, is the error of the system', () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  expect(() => makeDirectory(file)).toThrow('EEXIST');
  expect(() => makeDirectory(join(file, 'below'))).toThrow('ENOTDIR');
});

test.skipIf(process.platform !== 'linux')('where none can be made: an answer with words, and no wait for ever', () => {
  const environment = { PATH: process.env.PATH, NKAT_HOME: '/proc/none/home' };
  const { status, stderr } = spawnSync(process.execPath, [COMMAND, 'list'], {
    env: environment,
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  expect(status).toBe(74);
  expect(stderr).toContain('/proc/none/home');
});
