/** A running worker as its supervisor sees it, and the one that is our own child. */
import type { ProcessIdentity } from '../checkpoint/types.ts';
import type { AttemptFiles } from './attempt-files.ts';
import { decodeStatus } from './exit-record.ts';
import { type OwnedGroup, signalGroup } from './process-group.ts';
import type { WorkerEnd } from './worker-end.ts';
import { announcedWorker, livingWorker } from './worker-pid.ts';

/** A worker that was launched by us or by an earlier supervisor. */
export interface SupervisedProcess {
  /** Leader of the worker's process group: the launcher, not the worker itself. */
  readonly group: ProcessIdentity;
  /** Session and leader, as `emptyGroup` wants them. */
  readonly owned: OwnedGroup;
  /**
   * Never rejects. Members of the group may still live (data loaders, or the worker itself when the launcher alone was killed):
   * the group is to be reaped after it.
   */
  readonly ended: Promise<WorkerEnd>;
  /** The worker itself, while it lives and has announced itself; else null. */
  workerPid(): ProcessIdentity | null;
  /** The worker as it announced itself, dead or alive: names it in evidence, never to be signalled. */
  announcedPid(): ProcessIdentity | null;
  /** Sends a signal to the whole group; `gone`: nobody of ours is left in it. */
  signalGroup(signal: NodeJS.Signals): 'sent' | 'gone';
}

/** The part of a child process that is used. */
interface Child {
  once(event: 'exit', listener: (code: number | null, signal: NodeJS.Signals | null) => void): unknown;
}

/** One child of ours. */
export class WorkerProcess implements SupervisedProcess {
  readonly group: ProcessIdentity;
  readonly owned: OwnedGroup;
  readonly ended: Promise<WorkerEnd>;
  readonly #files: AttemptFiles;

  /** @param child its `exit` event must not have been emitted yet */
  constructor(child: Child, owned: OwnedGroup, files: AttemptFiles) {
    this.group = owned.leader;
    this.owned = owned;
    this.#files = files;
    // `exit`, never `close`: a grandchild may hold the output for as long as it likes.
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(endOf(code, signal)));
    });
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

/** The launcher hands the worker's signal on as 128 + n; a signal of its own means that it was killed itself. */
function endOf(code: number | null, signal: NodeJS.Signals | null): WorkerEnd {
  return code === null ? { code, signal, source: 'exit' } : { ...decodeStatus(code), source: 'exit' };
}
