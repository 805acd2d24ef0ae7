/** A wall clock of one's own for processes, by libfaketime. Knows no test runner. */
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's package `faketime`; elsewhere it lies in other folders. Undefined: it is not installed. */
export const FAKETIME_LIBRARY = [
  '/usr/lib',
  ...(existsSync('/usr/lib') ? readdirSync('/usr/lib').map((name) => join('/usr/lib', name)) : []),
]
  .map((folder) => join(folder, 'faketime/libfaketime.so.1'))
  .find((path) => existsSync(path));

/** For all that is started with `environment`. */
export class SetClock {
  readonly environment: NodeJS.ProcessEnv;
  readonly #path: string;

  /** @param path of a file that says how far off it is */
  constructor(path: string) {
    if (FAKETIME_LIBRARY === undefined) throw new Error('libfaketime is to be installed here, and is not');
    this.#path = path;
    this.environment = {
      LD_PRELOAD: FAKETIME_LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.#path,
      FAKETIME_CACHE_DURATION: '1',
      // What deadlines are measured with is no wall clock.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
    this.set('+0');
  }

  /** By a rename, so that no reader finds half of it. */
  set(offset: string): void {
    writeFileSync(`${this.#path}.next`, offset);
    renameSync(`${this.#path}.next`, this.#path);
  }
}
