/** A worker that an earlier supervisor launched: no child of ours, so its end is found by looking. */

import { isAlive } from '../checkpoint/process-identity.ts';
import type { ProcessIdentity, WorkerIdentity } from '../checkpoint/types.ts';
import { type AttemptFiles, attemptFiles } from './attempt-files.ts';
import { readExitRecord } from './exit-record.ts';
import { type OwnedGroup, signalGroup } from './process-group.ts';
import type { WorkerEnd } from './worker-end.ts';
import { announcedWorker, livingWorker } from './worker-pid.ts';
import type { SupervisedProcess } from './worker-process.ts';

/** How often an adopted worker is looked at; the closed channel usually tells earlier. */
const POLL_MS = 250;

/** The same interface as a worker of our own; `lookNow` and `abandon` are its own. */
export class AdoptedWorker implements SupervisedProcess {
  readonly group: ProcessIdentity;
  readonly owned: OwnedGroup;
  readonly ended: Promise<WorkerEnd>;
  readonly #files: AttemptFiles;
  readonly #timer: NodeJS.Timeout;
  #resolve: (end: WorkerEnd) => void = () => undefined;

  constructor(identity: WorkerIdentity, session: string) {
    this.group = identity.group;
    this.owned = { leader: identity.group, session };
    this.#files = attemptFiles(identity.outputDirectory, identity.attempt);
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#timer = setInterval(() => this.lookNow(), POLL_MS);
    this.lookNow();
  }

  /** To be called when the worker's channel has closed: the end is known at once instead of at the next look. */
  lookNow(): void {
    if (isAlive(this.group)) return;
    clearInterval(this.#timer);
    // The launcher writes the record before it ends; so what is not there now never will be.
    this.#resolve(readExitRecord(this.#files) ?? { code: null, signal: null, source: 'vanished' });
  }

  /** Stops looking; `ended` then stays open. */
  abandon(): void {
    clearInterval(this.#timer);
  }

  workerPid(): ProcessIdentity | null {
    return livingWorker(this.#files, this.group);
  }

  announcedPid(): ProcessIdentity | null {
    return announcedWorker(this.#files, this.group);
  }

  signalGroup(signal: NodeJS.Signals): 'sent' | 'gone' {
    return signalGroup(this.owned, signal);
  }
}

/** Takes over a worker as `session.json` records it, alive or not. */
export function adoptWorker(identity: WorkerIdentity, session: string): AdoptedWorker {
  return new AdoptedWorker(identity, session);
}
