import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findProgram, isExecutable, unrunnableErrno } from '../src/executable.ts';
import { temporaryDirectory } from './rig/temporary-directory.ts';

function place() {
  const cwd = temporaryDirectory();
  const program = (path: string, mode = 0o755): string => {
    const file = join(cwd, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, mode);
    return file;
  };
  return { cwd, program };
}

test('the first along the PATH that can be run is found; empty and relative parts count from the working folder', () => {
  const { cwd, program } = place();
  program('a/it', 0o644);
  mkdirSync(join(cwd, 'b/it'), { recursive: true });
  const last = program('c/it');
  const path = [join(cwd, 'nowhere'), join(cwd, 'a'), join(cwd, 'b'), 'c'].join(':');
  expect(findProgram('it', { path, cwd })).toBe(last);
  expect(unrunnableErrno('it', { path, cwd })).toBeNull();
  const here = program('here');
  expect(findProgram('here', { path: ':/nowhere', cwd })).toBe(here);
});

test('a name with a slash stands for itself; without a PATH the folders of the system count', () => {
  const { cwd, program } = place();
  const file = program('a/it');
  expect(findProgram('./a/it', { path: '/nowhere', cwd })).toBe(file);
  expect(findProgram(file, { path: undefined, cwd: '/' })).toBe(file);
  expect(findProgram('sh', { path: undefined, cwd })).toMatch(/^\/.*bin\/sh$/);
  expect(findProgram('', { path: undefined, cwd })).toBeNull();
});

test('what is there and cannot be run is told apart from what is nowhere', () => {
  const { cwd, program } = place();
  const file = program('a/it', 0o644);
  expect(unrunnableErrno('it', { path: `${join(cwd, 'a')}:/nowhere`, cwd })).toBe('EACCES');
  expect(unrunnableErrno('a', { path: cwd, cwd })).toBe('EACCES');
  expect(unrunnableErrno('it', { path: '/nowhere', cwd })).toBe('ENOENT');
  expect(unrunnableErrno(join(file, 'below'), { path: undefined, cwd })).toBe('ENOENT');
  expect(isExecutable(file)).toBe(false);
});
