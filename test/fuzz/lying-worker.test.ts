/** A worker that has the right token and says anything whatever: valid messages in any order, with any values, and rubbish. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect } from 'vitest';
import { WORKER_MESSAGES } from '../../src/protocol/messages.ts';
import { testInWorld, type World } from '../process/rig.ts';
import { valuesOf } from '../protocol/message-arbitraries.ts';
import { fuzzing, fuzzingTimeoutMs } from './runs.ts';

const LIAR = fileURLToPath(new URL('../../fixtures/workers/liar.mjs', import.meta.url));

const said = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.oneof(...WORKER_MESSAGES.map((schema) => valuesOf(schema).map((m) => JSON.stringify(m)))),
  },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
);
const speech = fc.record({
  lines: fc.array(said, { minLength: 1, maxLength: 120 }),
  /** Said again, in the same order: what was true once is told twice. */
  again: fc.boolean(),
  code: fc.constantFrom(0, 1, 75, 93),
});

/** How a run of ours ends; an internal error would be 70. */
const EXITS = [0, 1, 65, 74, 75, 78, 93];

async function hear(world: World, speeches: readonly { lines: string[]; again: boolean; code: number }[]) {
  for (const [index, { lines, again, code }] of speeches.entries()) {
    const file = join(world.directory, `said-${index}`);
    writeFileSync(file, [...lines, ...(again ? lines : []), ''].join('\n'));
    const run = world.start([
      'run',
      '--json',
      '--new',
      '--max-restarts',
      '1',
      '--',
      process.execPath,
      LIAR,
      file,
      String(code),
    ]);
    const exit = await run.exited;
    expect({ signal: exit.signal, isKnown: EXITS.includes(exit.code ?? -1) }, run.describe()).toEqual({
      signal: null,
      isKnown: true,
    });
    expect(run.stderr).not.toMatch(/internal error|\n\s+at .*:\d+:\d+/);
    expect(run.named('session-ended'), run.describe()).toHaveLength(1);
  }
  // Nothing of it keeps anybody from reading what is there.
  const listed = (await world.query(['list'])) as { sessions: { id: string; checkpoints: number }[] };
  expect(listed.sessions).toHaveLength(speeches.length);
  for (const { id } of listed.sessions) {
    expect(await world.query(['show', id])).toMatchObject({ version: 1 });
    expect(await world.query(['explain', id])).toMatchObject({ candidates: [], chosen: null });
  }
  for (const args of [['list'], ['repair']]) await world.start(args).ended(0);
  expect(
    existsSync(join(world.home, 'logs/internal-errors.log')) &&
      readFileSync(join(world.home, 'logs/internal-errors.log'), 'utf8'),
  ).toBe(false);
}

testInWorld(
  'whatever it says, the supervisor ends as it should, and what it recorded can be read',
  { timeout: fuzzingTimeoutMs(300) },
  async ({ world }) => {
    const { numRuns, seed } = fuzzing(6);
    const speeches = fc.sample(speech, { numRuns, ...(seed === undefined ? {} : { seed }) });
    await hear(world, speeches);
  },
);
