/** `test` where this machine bears a storm; the cases of a file run beside one another. */
import { test } from 'vitest';
import { wherePossible } from '../rig/where-possible.ts';
import { stormScenario } from './storm-scenario.ts';

const BOUND_MS = 900_000;

/** Elsewhere it is skipped and says why, or fails where NKAT_REQUIRE_POWER=1. */
export function testWithStorms(name: string, work: () => Promise<void>): void {
  const broken = 'this machine must bear a storm, and does not';
  const need = { why: stormScenario.unable, promise: 'NKAT_REQUIRE_POWER', broken };
  wherePossible(name, need, () => test.concurrent(name, { timeout: BOUND_MS }, work));
}
