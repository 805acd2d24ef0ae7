/** `test` where this machine lets us cut the power of one of our own. */
import { test } from 'vitest';
import { wherePossible } from '../rig/where-possible.ts';
import type { FileSystem } from './machine.ts';
import { whyNoPower } from './why-no-power.ts';

/** Elsewhere it is skipped and says why, or fails where NKAT_REQUIRE_POWER=1. */
export function testWithPower(
  name: string,
  fileSystems: readonly FileSystem[],
  boundMs: number,
  work: () => Promise<void>,
): void {
  const broken = 'this machine must be able to cut the power of one of its own, and is not';
  const need = { why: whyNoPower(fileSystems), promise: 'NKAT_REQUIRE_POWER', broken };
  wherePossible(name, need, () => test(name, work, boundMs));
}
