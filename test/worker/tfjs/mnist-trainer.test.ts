import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const LINE = ['--import', './dist/worker/preload.js', 'trainers/mnist/train.ts', '--epochs', '2', '--limit', '2560'];

let base: string;
const started: ChildProcess[] = [];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'nkat-mnist-'));
});
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  rmSync(base, { recursive: true, force: true });
});

function start(home: string): ChildProcess {
  const { NKAT_SOCKET: _socket, ...environment } = process.env;
  const child = spawn(process.execPath, LINE, {
    cwd: ROOT,
    env: { ...environment, NKAT_HOME: join(base, home), NKAT_SAVE_EVERY_STEPS: '5' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  return child;
}

async function outputOf(child: ChildProcess): Promise<string> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const [code] = await once(child, 'close');
  expect(code).toBe(0);
  return text;
}

function sessionOf(home: string): string {
  const root = join(base, home, 'checkpoints');
  return join(root, readdirSync(root)[0] ?? '');
}

function newest(home: string): { tensorsDigest: string; step: number; backend: string; kinds: string[] } {
  return JSON.parse(readFileSync(join(realpathSync(join(sessionOf(home), 'latest')), 'manifest.json'), 'utf8'));
}

function hasCommitted(home: string): boolean {
  return existsSync(join(base, home, 'checkpoints')) && existsSync(join(sessionOf(home), 'latest'));
}

test('killed in the middle and started again, it ends with the very state of an undisturbed run', async () => {
  const undisturbed = await outputOf(start('undisturbed'));
  expect(undisturbed).toContain('2560 images, 101770 weights, tfjs-wasm, from the start');
  expect(Number(/test accuracy ([\d.]+) %/.exec(undisturbed)?.[1])).toBeGreaterThan(80);

  const victim = start('disturbed');
  await vi.waitFor(() => expect(hasCommitted('disturbed')).toBe(true), { timeout: 150_000 });
  victim.kill('SIGKILL');
  await once(victim, 'close');
  const resumed = await outputOf(start('disturbed'));
  expect(resumed).toMatch(/from step \d+\n/);
  expect(resumed.split('\n').slice(-3)).toEqual(undisturbed.split('\n').slice(-3));

  expect(newest('disturbed')).toMatchObject({
    step: 40,
    kinds: expect.arrayContaining(['final']),
    backend: 'tfjs-wasm',
  });
  expect(newest('disturbed').tensorsDigest).toBe(newest('undisturbed').tensorsDigest);
});
