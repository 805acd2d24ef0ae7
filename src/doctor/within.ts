/** A bound for one question: whoever does not answer in time is given up, and the examination goes on. */

/** @returns what `otherwise` is where `work` takes longer than `limitMs` */
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
