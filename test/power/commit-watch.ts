/** The commits of one boot, seen in the session's directory from outside while they are made. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { STAGING, sequenceInName } from '../../src/checkpoint/layout.ts';
import type { Run } from '../rig/run.ts';

export class CommitWatch {
  readonly #run: Run;
  readonly #seen: (path: string) => string;
  /** What an earlier boot left is no commit of this one. */
  readonly #earlier: ReadonlySet<string>;

  /** Before the run can have made any. @param directory the session's, as the machine names it; null: it has none yet */
  constructor(run: Run, directory: string | null, seen: (path: string) => string) {
    this.#run = run;
    this.#seen = seen;
    this.#earlier = new Set(directory === null ? [] : namesIn(seen(directory)));
  }

  /** Being written. */
  get staged(): number[] {
    return this.#sequences((name) => name.startsWith(`${STAGING}/`));
  }

  /** Having their name, and nobody said so far that they are durable. */
  get renamed(): number[] {
    const saved = this.#run.named('saved').map(({ sequence }) => sequence);
    return this.#sequences((name) => name.startsWith('checkpoint_')).filter((sequence) => !saved.includes(sequence));
  }

  #sequences(fits: (name: string) => boolean): number[] {
    const opened = this.#run.named('session-opened')[0];
    if (opened === undefined) return [];
    return namesIn(this.#seen(opened.directory))
      .filter((name) => fits(name) && !this.#earlier.has(name))
      .flatMap((name) => sequenceInName(basename(name)) ?? []);
  }
}

/** Of checkpoints, and of commits under way as `.staging/<name>`. */
function namesIn(directory: string): string[] {
  try {
    return [...readdirSync(directory), ...readdirSync(join(directory, STAGING)).map((name) => `${STAGING}/${name}`)];
  } catch {
    // Nothing was staged yet, or the disk is gone.
    return [];
  }
}
