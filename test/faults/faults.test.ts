/** System calls that fail in the midst of a commit; `npm run torture -- --faults` makes all of them. */
import { existsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { wherePossible } from '../rig/where-possible.ts';
import { describeFindings, runCases } from '../torture/run-cases.ts';
import type { TortureCase } from '../torture/scenario.ts';
import { CALLS, type FaultError, type FaultyCall } from './fault.ts';
import { runFaultCase } from './fault-case.ts';
import { faultCase, faultScenario } from './fault-scenario.ts';
import { whyNoFaults } from './why-no-faults.ts';

/** It is not the disk that fails here: one in memory spares the waiting for its syncs. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const BOUND_MS = 600_000;
const why = whyNoFaults();

const named = (...names: readonly string[]): FaultyCall[] => CALLS.filter(({ name }) => names.includes(name));
const cases = (act: 'commit' | 'settle', calls: readonly FaultyCall[], errors: readonly FaultError[]): TortureCase[] =>
  calls.flatMap((call) => errors.map((error) => faultCase(FOLDER, act, call, error)));

/** Where tracing is not allowed it is skipped and says why, or fails where NKAT_REQUIRE_POWER=1. */
function testWithFaults(name: string, work: () => Promise<void>): void {
  const need = { why, promise: 'NKAT_REQUIRE_POWER', broken: 'this machine must allow tracing, and does not' };
  wherePossible(name, need, () => test(name, { timeout: BOUND_MS }, work));
}

testWithFaults('each call of a commit fails or kills, one after another: nothing acknowledged is lost', async () => {
  const changing = CALLS.filter(({ name }) => name !== 'open');
  const chosen = [
    ...cases('commit', changing, ['EIO', 'KILL']),
    ...cases('commit', named('fsync', 'write', 'rename'), ['ENOSPC', 'EINTR']),
    ...cases('commit', named('open'), ['EIO']),
    ...cases('settle', named('rename', 'unlink'), ['KILL']),
  ];
  const { findings, counts } = await runCases(chosen, { jobs: availableParallelism() + 1 });
  console.log(JSON.stringify(counts));
  expect(findings, describeFindings(findings)).toEqual([]);
  // A store that made none of these calls would have nothing to lose.
  for (const name of ['fsync', 'rename', 'write', 'unlink', 'mkdir', 'truncate', 'link']) {
    expect(counts[`commit: ${name} EIO`], name).toBeGreaterThan(0);
    expect(counts[`commit: ${name} killed`], name).toBe(counts[`commit: ${name} EIO`]);
  }
});

/** Errors that the store could be careless about, and the call that has them. */
const CARELESS: Readonly<Record<string, string>> = {
  sync: 'fsync',
  syncDirectory: 'fsync',
  write: 'write',
  rename: 'rename',
};

for (const [ignored, name] of Object.entries(CARELESS)) {
  testWithFaults(`a store that ignores errors of '${ignored}' is found out`, async () => {
    for (const call of named(name)) {
      const { violations } = await runFaultCase({ folder: FOLDER, act: 'commit', call, error: 'EIO', ignored });
      console.log(`${ignored}: ${JSON.stringify(violations).slice(0, 300)}`);
      expect(violations.map(({ invariant }) => invariant)).toContain('failure-is-told');
    }
  });
}

test('each fault can be asked for again', () => {
  const scenario = faultScenario(() => FOLDER);
  const planned = scenario.plan(0, 1);
  expect(planned.map(({ id }) => scenario.find(id)?.id)).toEqual(planned.map(({ id }) => id));
  expect(new Set(planned.map(({ id }) => id)).size).toBe(planned.length);
  expect(scenario.find('cut/ext4/1/2')).toBeNull();
  expect(scenario.find('fault/commit/fsync/EWHATEVER')).toBeNull();
});
