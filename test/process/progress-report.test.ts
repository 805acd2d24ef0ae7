/** Work without epochs: what it says of itself is shown everywhere, and a resume knows it. */
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { World } from './rig.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

test('percent, stage and results in events, list and show; saved and given back; nonsense is refused', async () => {
  const trainer = join(world.directory, 'simulation.mjs');
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(world.directory, 'node_modules'));
  writeFileSync(
    trainer,
    `import { arraysState, connect } from 'nkat-recover/worker';
    const run = await connect();
    const found = new Float64Array(1);
    await run.restore(arraysState({ found }));
    console.log('before ' + JSON.stringify(run.resumed?.progress ?? null));
    for (const wrong of [101, Number.NaN, '7']) {
      try { run.progress(wrong); } catch ({ code }) { console.log('refused ' + code); }
    }
    for (let part = (run.resumed?.progress?.percent ?? 0) / 25; part < 4; ) {
      part++;
      found[0] += part;
      run.progress(part * 25, part < 4 ? 'simulating' : 'adding up', { found: found[0], lost: Number.NaN });
      await run.step();
      await run.save();
      if (part === 2) process.exit(3);
    }
    await run.complete();`,
  );
  const run = world.run([trainer]);
  await run.ended(0);
  const output = run.outputLines();
  expect(output.filter((text) => text.startsWith('before '))).toEqual([
    'before null',
    'before {"percent":50,"stage":"simulating","results":{"found":3}}',
  ]);
  expect(output.filter((text) => text === 'refused usage').length).toBeGreaterThanOrEqual(4);
  const last = { percent: 100, stage: 'adding up', results: { found: 10 } };
  expect(run.named('progress').at(-1)).toMatchObject({ percent: 100, report: last });
  const listed = (await world.query(['list'])) as { sessions: object[] };
  expect(listed.sessions[0]).toMatchObject(last);
  const show = world.start(['show', 'latest']);
  await show.ended(0);
  expect(show.stdout).toContain('100.0 % · adding up · found 10');
});
