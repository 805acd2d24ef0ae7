/** Tests that need what not every machine has, or allows. */
import { test } from 'vitest';

export interface Need {
  /** Why it cannot be had here; null: it can. */
  readonly why: string | null;
  /** The variable with which a machine promises to have it: where it is 1 a skip is a failure. */
  readonly promise: string;
  /** How the failure begins: "this machine must allow mounts, and does not". */
  readonly broken: string;
}

/** Declares tests where they can run. Elsewhere one of this name is skipped and says why, or fails where that was promised. */
export function wherePossible(name: string, { why, promise, broken }: Need, declare: () => void): void {
  if (why === null) declare();
  else if (process.env[promise] === '1') {
    test(name, () => {
      throw new Error(`${broken}: ${why}`);
    });
  } else test.skip(`${name} (${why})`, () => undefined);
}
