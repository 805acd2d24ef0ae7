import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandOf, identityOfWords } from '../../src/cli/trainer.ts';
import { NkatError } from '../../src/errors.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

function place() {
  const cwd = temporaryDirectory();
  mkdirSync(join(cwd, 'bin'));
  const script = (name: string, mode: number): string => {
    writeFileSync(join(cwd, name), '#!/bin/sh\n');
    chmodSync(join(cwd, name), mode);
    return join(cwd, name);
  };
  const identify = (words: string[], asIs = false, name: string | null = null) =>
    identityOfWords({ words, asIs }, { cwd, path: join(cwd, 'bin') }, name);
  return { cwd, script, identify };
}

test('a trainer is known by its real path, its arguments, the real folder and the name', () => {
  const { cwd, script, identify } = place();
  const trainer = script('train.ts', 0o644);
  symlinkSync(trainer, join(cwd, 'link.ts'));
  const identity = identify(['link.ts', '--epochs', '3'], false, 'night');
  expect(identity).toEqual({ cwd, trainer, args: ['--epochs', '3'], name: 'night' });
  expect(commandOf(identity)).toBeNull();
});

test('an executable that is no script of ours is a command', () => {
  const { script, identify } = place();
  const trainer = script('train.sh', 0o755);
  expect(commandOf(identify(['./train.sh', 'x']))).toEqual([trainer, 'x']);
});

test('after -- the command is found in PATH and its link is kept: a virtual environment is one', () => {
  const { cwd, script, identify } = place();
  symlinkSync(script('real-python', 0o755), join(cwd, 'bin/python'));
  const identity = identify(['python', 'train.py'], true);
  expect(identity.trainer).toBe(join(cwd, 'bin/python'));
  expect(commandOf(identity, ['other.py'])).toEqual([join(cwd, 'bin/python'), 'other.py']);
});

test('after -- even a script of ours runs as it is, now and when it is resumed', () => {
  const { script, identify } = place();
  const path = script('train.js', 0o755);
  expect(commandOf(identify(['./train.js', 'x'], true))).toEqual(['/usr/bin/env', path, 'x']);
});

test.each([
  [['gone.ts'], false, 'no such file', 'path'],
  [['bin'], false, 'folder', 'script'],
  [['notes.txt', 'x'], false, 'not executable', 'nkat-recover run -- notes.txt x'],
  [['nothing'], true, 'nothing', 'PATH'],
  [['loop.ts'], false, 'itself', 'link'],
])('%j is refused with a reason and a hint', (words, asIs, reason, hint) => {
  const { cwd, script, identify } = place();
  script('notes.txt', 0o644);
  symlinkSync('loop.ts', join(cwd, 'loop.ts'));
  let refused: unknown;
  try {
    identify(words, asIs);
  } catch (error) {
    refused = error;
  }
  expect(refused).toBeInstanceOf(NkatError);
  expect(refused).toMatchObject({
    code: 'configuration',
    message: expect.stringContaining(reason),
    hint: expect.stringContaining(hint),
  });
});
