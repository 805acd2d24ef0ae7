/** A worker that is killed in the middle of an export: whoever loads finds a whole model, and the next launch makes up for it. */
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { signalPid, World } from './rig.ts';

const VALUES = 8 * 1024 * 1024;

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

interface Metadata {
  readonly sequence: number;
  readonly value: number;
  readonly files: readonly [string];
}
const metadataIn = (folder: string): Metadata => JSON.parse(readFileSync(join(folder, 'best_metadata.json'), 'utf8'));
const sequences = (folder: string): number[] =>
  readdirSync(folder).flatMap((name) => (name.endsWith('.safetensors') ? [Number(name.split(/[_.]/)[1])] : []));

/** Every value of the model that the metadata name is that of its epoch. */
function isWhole(folder: string): void {
  const { files, value } = metadataIn(folder);
  const bytes = readFileSync(join(folder, files[0]));
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  expect(bytes.length - start).toBe(VALUES * 4);
  for (const at of [0, VALUES / 2, VALUES - 1]) expect(bytes.readFloatLE(start + at * 4)).toBe(value);
}

test('kill -9 in the middle of an export', async () => {
  const trainer = join(world.directory, 'trainer.mjs');
  const go = join(world.directory, 'go');
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(world.directory, 'node_modules'));
  writeFileSync(
    trainer,
    `import { existsSync } from 'node:fs';
    import { arraysState, connect } from 'nkat-recover/worker';
    const run = await connect();
    const weights = new Float32Array(${VALUES});
    run.bestBy('score', 'max');
    await run.restore(arraysState({ weights }));
    for (const epoch of run.epochs(1e6)) {
      weights.fill(epoch);
      await run.step();
      await run.epochEnd({ score: epoch });
      if (existsSync(${JSON.stringify(go)})) break;
    }
    await run.complete();`,
  );
  const run = world.run([trainer], ['--save-every', 'off', '--backoff', '10ms']);
  const { backups } = await run.event('session-opened');
  const folder = join(backups, 'best_model');
  const { pid } = await run.event('worker-connected');
  await world.until(() => existsSync(join(folder, 'best_metadata.json')));
  await world.until(() => {
    const newest = (): number => Math.max(...sequences(folder));
    if (newest() <= metadataIn(folder).sequence) return false;
    signalPid(pid, 'SIGSTOP');
    if (newest() > metadataIn(folder).sequence) return true;
    signalPid(pid, 'SIGCONT');
    return false;
  });
  const { sequence } = metadataIn(folder);
  signalPid(pid, 'SIGKILL');
  isWhole(folder);
  await run.event('training-started', () => true, 2);
  writeFileSync(go, '');
  await run.ended(0);
  isWhole(folder);
  const best = run.named('saved').filter(({ kinds }) => kinds.includes('best'));
  expect(metadataIn(folder).sequence).toBe(best.at(-1)?.sequence);
  expect(metadataIn(folder).sequence).toBeGreaterThan(sequence);
  expect(sequences(folder).length).toBeLessThanOrEqual(2);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeGreaterThan(0);
});
