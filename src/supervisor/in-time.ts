/** Waiting for what a disk that hangs may never answer. The work itself goes on; nobody waits for its outcome any more. */

/** How long a small file may take. A disk that needs longer hangs, and whoever waited for it would hear no Ctrl-C. */
export const PATIENCE_MS = 10_000;

/** @returns `late` after so many milliseconds */
export async function inTime<T>(work: Promise<T>, patienceMs = PATIENCE_MS): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
