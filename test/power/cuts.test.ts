/** Real power cuts under real runs; `npm run torture -- --cuts 500` does the same for an hour. */
import { expect, test } from 'vitest';
import { mountsAndDevices } from '../rig/loop-devices.ts';
import { describeFindings, runCases } from '../torture/run-cases.ts';
import { cutScenario } from './cut-scenario.ts';
import type { FileSystem } from './machine.ts';
import { testWithPower } from './test-with-power.ts';

const CUTS = 20;
/** Changes what is hit; whatever it finds comes again with it. */
const SEED = Number(process.env.NKAT_TORTURE_SEED ?? 20261123);
const BOUND_MS = 900_000;

const FILE_SYSTEMS: readonly FileSystem[] = ['ext4', 'xfs'];

for (const fileSystem of FILE_SYSTEMS) {
  testWithPower(
    `${CUTS} power cuts on ${fileSystem}: nothing that was acknowledged is lost`,
    [fileSystem],
    BOUND_MS,
    async () => {
      const scenario = cutScenario([fileSystem]);
      const { findings, counts } = await runCases(scenario.plan(CUTS, SEED), { jobs: 2 });
      console.log(`${fileSystem}, seed ${SEED}: ${JSON.stringify(counts)}`);
      expect(findings, describeFindings(findings)).toEqual([]);
      expect(counts.cuts).toBe(CUTS);
      // Cuts beside every commit would prove nothing.
      expect(counts['inside a commit']).toBeGreaterThanOrEqual(CUTS / 3);
      expect(mountsAndDevices('nkat-power-')).toEqual([]);
    },
  );
}

test('the same seed plans the same cuts, and each case can be asked for again', () => {
  const scenario = cutScenario(FILE_SYSTEMS);
  const planned = scenario.plan(500, 7);
  expect(planned.map(({ id }) => id)).toEqual(scenario.plan(500, 7).map(({ id }) => id));
  expect(planned.reduce((sum, { blows }) => sum + blows, 0)).toBe(500);
  expect(planned.map(({ id }) => scenario.find(id)?.id)).toEqual(planned.map(({ id }) => id));
  expect(new Set(planned.map(({ id }) => id)).size).toBe(planned.length);
  expect(scenario.find('kill/1/2')).toBeNull();
});
