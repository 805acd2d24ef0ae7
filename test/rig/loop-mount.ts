/** A small disk of a test's own. It is unmounted and the device freed when the test ends, however it ends. */
import { test } from 'vitest';
import { SmallDisk, type SmallDiskOptions, whyNoMounts } from './small-disk.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { atTestEnd } from './test-end.ts';
import { wherePossible } from './where-possible.ts';

export { whyNoMounts } from './small-disk.ts';

export class LoopMount extends SmallDisk {
  static make(options: SmallDiskOptions = {}): LoopMount {
    const mount = new LoopMount(temporaryDirectory(), options);
    atTestEnd(() => mount.unmount());
    return mount;
  }
}

const why = whyNoMounts();

/** `test` where mounts are allowed. */
export function testWithMounts(name: string, work: () => Promise<void> | void): void {
  whereMountsAreAllowed(name, () => test(name, work));
}

/** Declares a test where mounts are allowed. Elsewhere it is skipped and says why, or fails where NKAT_REQUIRE_MOUNTS=1. */
export function whereMountsAreAllowed(name: string, declare: () => void): void {
  wherePossible(
    name,
    { why, promise: 'NKAT_REQUIRE_MOUNTS', broken: 'this machine must allow mounts, and does not' },
    declare,
  );
}
