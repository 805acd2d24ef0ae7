/** Kill storms under real runs; `npm run torture -- --kills 1000` does the same for an hour. */
import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { mountsAndDevices } from '../rig/loop-devices.ts';
import { describeFindings, runCases } from '../torture/run-cases.ts';
import { stormScenario } from './storm-scenario.ts';
import { testWithStorms } from './test-with-storms.ts';

/** Six storms, two of each kind. */
const KILLS = Number(process.env.NKAT_TORTURE_KILLS ?? 150);
/** They mostly wait: for the moments they aim at, and for processes to start. */
const AT_ONCE = 2 * availableParallelism() + 1;
/** Changes what is hit; whatever it finds comes again with it. */
const SEED = Number(process.env.NKAT_TORTURE_SEED ?? 20261123);

testWithStorms(`${KILLS} kills, at all moments: nothing is lost, twice, or left`, async () => {
  const { findings, counts } = await runCases(stormScenario.plan(KILLS, SEED), { jobs: AT_ONCE });
  console.log(`seed ${SEED}: ${JSON.stringify(counts)}`);
  expect(findings, describeFindings(findings)).toEqual([]);
  // A storm that calms down, or misses the moments that matter, would prove nothing.
  expect(counts.kills).toBeGreaterThan(KILLS / 2);
  for (const word of ['while saving', 'while starting or restoring']) expect(counts[word], word).toBeGreaterThan(0);
  expect(mountsAndDevices('nkat-storm-')).toEqual([]);
});

test('the same seed plans the same storms, and each can be asked for again', () => {
  const planned = stormScenario.plan(1000, 7);
  expect(planned.map(({ id }) => id)).toEqual(stormScenario.plan(1000, 7).map(({ id }) => id));
  expect(planned.reduce((sum, { blows }) => sum + blows, 0)).toBe(1000);
  expect(planned.map(({ id }) => stormScenario.find(id)?.id)).toEqual(planned.map(({ id }) => id));
  expect(new Set(planned.map(({ id }) => id)).size).toBe(planned.length);
  expect(stormScenario.find('cut/ext4/1/2')).toBeNull();
});
