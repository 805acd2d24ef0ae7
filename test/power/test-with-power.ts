/** `test` where this machine lets us cut the power of one of our own. */
import { test } from 'vitest';
import type { FileSystem } from './machine.ts';
import { whyNoPower } from './why-no-power.ts';

/** Elsewhere it is skipped and says why, or fails where NKAT_REQUIRE_POWER=1. */
export function testWithPower(
  name: string,
  fileSystems: readonly FileSystem[],
  boundMs: number,
  work: () => Promise<void>,
): void {
  const why = whyNoPower(fileSystems);
  if (why === null) test(name, work, boundMs);
  else if (process.env.NKAT_REQUIRE_POWER === '1') {
    test(name, () => {
      throw new Error(`this machine must be able to cut the power of one of its own, and is not: ${why}`);
    });
  } else test.skip(`${name} (${why})`, work);
}
