import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runProgram } from '../../src/backend/program.ts';
import { findTools, type Tools } from '../../src/backend/tools.ts';
import { FakeTools } from './fake-tools.ts';

/** Nothing but what the test has put there: no `/usr/bin`. */
function find(tools: FakeTools, changes: { nodeDirectory?: string | null; execPath?: string } = {}): Promise<Tools> {
  return findTools({
    environment: { PATH: tools.bin },
    execPath: process.execPath,
    nodeDirectory: tools.nodeDirectory,
    cwd: tools.folder,
    run: runProgram,
    ...changes,
  });
}

test('python with pip, npm with its node-gyp, compiler, make and headers are found', async () => {
  const tools = new FakeTools();
  expect(await find(tools)).toEqual({
    python: join(tools.bin, 'python3'),
    npm: join(tools.bin, 'npm'),
    nodeGyp: join(tools.folder, 'node_modules/node-gyp/bin/node-gyp.js'),
    nodeDirectory: tools.nodeDirectory,
  });
});

test('each that is missing is named, with a code of its own', async () => {
  const tools = new FakeTools();
  rmSync(join(tools.bin, 'make'));
  await expect(find(tools)).rejects.toMatchObject({
    code: 'compiler-missing',
    message: expect.stringContaining('make'),
  });
  rmSync(join(tools.bin, 'g++'));
  await expect(find(tools)).rejects.toMatchObject({
    code: 'compiler-missing',
    message: expect.stringContaining('C++'),
  });
  rmSync(join(tools.folder, 'node_modules'), { recursive: true });
  await expect(find(tools)).rejects.toMatchObject({
    code: 'npm-missing',
    message: expect.stringContaining('node-gyp'),
  });
  rmSync(join(tools.bin, 'npm'));
  await expect(find(tools)).rejects.toMatchObject({ code: 'npm-missing' });
  tools.program('python3', '[ "$1" = -c ] && { echo 3; exit; }\necho No module named pip >&2; exit 1');
  await expect(find(tools)).rejects.toMatchObject({
    code: 'pip-missing',
    message: expect.stringContaining('No module'),
  });
  tools.program('python3', 'echo 2');
  await expect(find(tools)).rejects.toMatchObject({ code: 'python-missing' });
  rmSync(join(tools.bin, 'python3'));
  await expect(find(tools)).rejects.toMatchObject({ code: 'python-missing', message: expect.stringContaining('PATH') });
});

test('a Node without headers is refused with the cure', async () => {
  const tools = new FakeTools();
  const empty = join(tools.folder, 'empty');
  mkdirSync(empty);
  await expect(find(tools, { nodeDirectory: empty })).rejects.toMatchObject({
    code: 'node-headers-missing',
    message: expect.stringContaining('include/node/node_api.h'),
    hint: expect.stringContaining('--nodedir'),
  });
});
