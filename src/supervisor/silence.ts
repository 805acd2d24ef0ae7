/** When nothing more is to be expected of the channel of a worker that has ended. */
import { BoundedWait } from './bounded-wait.ts';

/** How long it may be silent while we listen. */
const SILENT_MS = 2_000;
/** The same for one that never falls silent, because another process holds its end. */
const LONGEST_MS = 30_000;

export interface Listened {
  readonly isOpen: () => boolean;
  /** Messages so far. */
  readonly received: () => number;
  /** While it is true nothing is read: what we are late with is no less said. */
  readonly isBusy: () => boolean;
}

/** Resolves when the channel has closed, or was silent for long enough. */
export async function silence({ isOpen, received, isBusy }: Listened): Promise<void> {
  const longest = new BoundedWait(LONGEST_MS);
  let silent = new BoundedWait(SILENT_MS);
  while (isOpen() && !silent.isOver && !longest.isOver) {
    const before = received();
    await Promise.all([silent.poll(), longest.poll()]);
    if (received() !== before || isBusy()) silent = new BoundedWait(SILENT_MS);
  }
}
