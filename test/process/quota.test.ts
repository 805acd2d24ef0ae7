/** Bad day 5 where it is not the disk that is full but the quota: nothing but the failing write tells. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counter, World } from './rig.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const PRELOAD = fileURLToPath(new URL('../../dist/worker/preload.js', import.meta.url));
/**
 * Large writes alone: the tensors. After these many the quota is given back. strace counts for each thread, so that only one
 * may write: with several the second one would find the quota full again.
 */
const STRACE = [
  'env',
  'UV_THREADPOOL_SIZE=1',
  'strace',
  '-f',
  '-qq',
  '-o',
  '/dev/null',
  '-e',
  'trace=pwrite64',
  '-e',
  'signal=none',
];
const FULL = ['-e', 'inject=pwrite64:error=EDQUOT:when=4..6'];
const canTrace = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true']).status === 0;

test.runIf(canTrace)('a full quota is told as such, ends nothing, and saves go on when there is room', async () => {
  const trainer = counter(['--epochs', '1', '--steps-per-epoch', '100000', '--step-ms', '10', '--size-mib', '2']);
  const options = ['--json', '--save-every', '300ms', '--dir', join(world.directory, 'store')];
  const command = [...STRACE, ...FULL, process.execPath, '--import', PRELOAD, ...trainer];
  const run = world.start(['run', ...options, '--', ...command]);
  const warning = await run.event('warning', ({ code }) => code === 'disk-full');
  expect(warning.message).toContain('The quota is full');
  expect(warning.hint).toContain('quota -s');
  await run.event('warning-ended', ({ code }) => code === 'disk-full');
  run.signal('SIGINT');
  await run.ended(75);
  expect(run.named('worker-ended')).toHaveLength(1);
  expect(run.named('save-failed').map(({ code }) => code)).not.toContain('io');
});
