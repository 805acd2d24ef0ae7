/** Timers of any length: Node's own hold 32 bits of milliseconds, about 24.8 days, and fire at once beyond that. */

const LONGEST_MS = 2 ** 31 - 1;

export interface Timer {
  clear(): void;
}

/** Calls back once, after `ms` milliseconds of running time. */
export function startTimer(callback: () => void, ms: number): Timer {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number): void => {
    timer =
      leftMs <= LONGEST_MS ? setTimeout(callback, leftMs) : setTimeout(() => wait(leftMs - LONGEST_MS), LONGEST_MS);
  };
  wait(ms);
  return { clear: () => clearTimeout(timer) };
}

/** A bound for work that may hang. @returns what `otherwise` is where `work` takes longer than `limitMs`, which Node's own timers must hold */
export async function within<T>(work: Promise<T>, limitMs: number, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
