/**
 * Reading many small files one after the other leaves a disk idle most of the time. These threads read them a little
 * earlier, several at once, so that the reader finds them in the page cache. Nothing but speed depends on them.
 */
import { Worker } from 'node:worker_threads';

/** Reads that a disk is given at once. */
const THREADS = 4;
/** Sessions that they may be ahead: more could push out of memory what was not used yet. */
const WINDOW = 500;
/** Fewer sessions are read before a thread has started. */
const FEWEST = 200;

/** What a thread is told. */
export interface ReadAheadWork {
  readonly directories: readonly string[];
  /** Those of the checkpoints too. */
  readonly manifests: boolean;
  readonly first: number;
  readonly every: number;
  readonly window: number;
  /** How many the reader is through with. */
  readonly done: Int32Array<SharedArrayBuffer>;
}

export interface ReadAhead {
  /** The reader is through with so many, in the order in which they were named. */
  reached(count: number): void;
  close(): Promise<void>;
}

const NONE: ReadAhead = { reached: () => undefined, close: () => Promise.resolve() };

/**
 * @param directories of sessions, in the order in which they will be read
 * @param manifests whether those of the checkpoints will be read too
 */
export function readAhead(directories: readonly string[], manifests: boolean): ReadAhead {
  if (directories.length < FEWEST) return NONE;
  const done = new Int32Array(new SharedArrayBuffer(4));
  const threads = Array.from({ length: THREADS }, (_, first) => {
    const workerData: ReadAheadWork = { directories, manifests, first, every: THREADS, window: WINDOW, done };
    const thread = new Worker(new URL('./read-ahead-thread.js', import.meta.url), { workerData, execArgv: [] });
    // Without it the reader is as slow as it was, and says itself what cannot be read.
    thread.on('error', () => undefined);
    thread.unref();
    return thread;
  });
  return {
    reached(count) {
      Atomics.store(done, 0, count);
      Atomics.notify(done, 0);
    },
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}
