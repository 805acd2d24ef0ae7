/** How many cases a fuzz test tries: `NKAT_FUZZ=20` tries twenty times as many as CI does, `NKAT_FUZZ_SEED` repeats. */
export function fuzzing(cases: number): { readonly numRuns: number; readonly seed?: number } {
  const numRuns = Math.ceil(cases * Number(process.env.NKAT_FUZZ ?? 1));
  const seed = process.env.NKAT_FUZZ_SEED;
  return seed === undefined ? { numRuns } : { numRuns, seed: Number(seed) };
}

/** Time for so many cases; what hangs is found all the same. */
export function fuzzingTimeoutMs(seconds: number): number {
  return seconds * 1_000 * Math.max(1, Number(process.env.NKAT_FUZZ ?? 1));
}
