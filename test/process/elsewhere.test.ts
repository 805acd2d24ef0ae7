/** A trainer in a folder of its own, run by a command that is installed somewhere else. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { COMMAND, testInWorld, type World } from './rig.ts';

/** As `npm install -g` does it: a link in a bin folder. */
function installed(world: World): string {
  const bin = join(world.directory, 'bin');
  mkdirSync(bin);
  symlinkSync(COMMAND, join(bin, 'nkat-recover'));
  return join(bin, 'nkat-recover');
}

function write(world: World, name: string, text: string): string {
  const folder = join(world.directory, 'my training ü');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const TRAINER = `import { arraysState, connect } from 'nkat-recover/worker';
import legacy from './legacy.ts';
interface Weights { readonly w: Float32Array }
const model: Weights = { w: new Float32Array(4) };
const run = await connect();
await run.restore(arraysState({ w: model.w }));
for (const epoch of run.epochs(2)) {
  for (const batch of run.batches([1, 2, 3, 4], { size: 2, seed: 1 })) {
    model.w[0] = (model.w[0] ?? 0) + legacy.rate * batch.length + epoch;
    await run.step({ loss: 1 });
  }
  await run.epochEnd({});
}
await run.complete();
console.log(\`w \${model.w[0]}\`);
`;
const LEGACY = 'const rate: number = 0.5;\nmodule.exports = { rate };\n';

testInWorld.concurrent(
  'top-level await, a CommonJS .ts import, no package.json: trains and completes',
  async ({ world }) => {
    write(world, 'legacy.ts', LEGACY);
    const run = world.run([write(world, 'train.ts', TRAINER)], [], installed(world));
    await run.ended(0);
    expect(run.outputLines()).toEqual(['w 6']);
  },
);

testInWorld.concurrent("a throw names the trainer's own line", async ({ world }) => {
  write(world, 'legacy.ts', LEGACY);
  const broken = TRAINER.replace(
    '    await run.step',
    "    if (epoch === 1) throw new Error('cosmic ray');\n    await run.step",
  );
  const path = write(world, 'train.ts', broken);
  const run = world.run([path], ['--max-restarts', '0'], installed(world));
  await run.ended(1);
  expect(run.named('worker-ended')[0]?.lastLines.join('\n')).toContain(`train.ts:10:`);
});
