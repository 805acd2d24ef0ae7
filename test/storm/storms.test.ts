/** Kill storms under real runs; `npm run torture -- --kills 1000` does the same for an hour. */
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { describeFindings, runCases } from '../torture/run-cases.ts';
import { stormScenario } from './storm-scenario.ts';

/** Three storms, one of each kind: what CI has time for. */
const KILLS = Number(process.env.NKAT_TORTURE_KILLS ?? 45);
/** Changes what is hit; whatever it finds comes again with it. */
const SEED = Number(process.env.NKAT_TORTURE_SEED ?? 20261123);
const BOUND_MS = 900_000;

function testWithStorms(name: string, work: () => Promise<void>): void {
  const why = stormScenario.unable;
  if (why === null || process.env.NKAT_REQUIRE_POWER === '1') {
    test(name, { timeout: BOUND_MS }, async () => {
      if (why !== null) throw new Error(`this machine must bear a storm, and does not: ${why}`);
      await work();
    });
  } else test.skip(`${name} (${why})`, () => undefined);
}

testWithStorms(`${KILLS} kills, at all moments: nothing is lost, twice, or left`, async () => {
  const { findings, counts } = await runCases(stormScenario.plan(KILLS, SEED), { jobs: availableParallelism() + 1 });
  console.log(`seed ${SEED}: ${JSON.stringify(counts)}`);
  expect(findings, describeFindings(findings)).toEqual([]);
  // A storm that calms down, or misses the moments that matter, would prove nothing.
  expect(counts.kills).toBeGreaterThan(KILLS / 2);
  for (const word of ['while saving', 'while starting or restoring']) expect(counts[word], word).toBeGreaterThan(0);
  expect(leftBehind()).toEqual([]);
});

test('the same seed plans the same storms, and each can be asked for again', () => {
  const planned = stormScenario.plan(1000, 7);
  expect(planned.map(({ id }) => id)).toEqual(stormScenario.plan(1000, 7).map(({ id }) => id));
  expect(planned.reduce((sum, { blows }) => sum + blows, 0)).toBe(1000);
  expect(planned.map(({ id }) => stormScenario.find(id)?.id)).toEqual(planned.map(({ id }) => id));
  expect(new Set(planned.map(({ id }) => id)).size).toBe(planned.length);
  expect(stormScenario.find('cut/ext4/1/2')).toBeNull();
});

/** Mounts of ours that anybody can still see, and their devices. */
function leftBehind(): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const devices = readdirSync('/sys/block').flatMap((name) => {
    try {
      return [readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').trim()];
    } catch {
      return [];
    }
  });
  return [...mounts, ...devices].filter((line) => line.includes('nkat-storm-'));
}
