const POLL_MS = 10;

/**
 * Waits until `condition` gives something other than null, undefined or false, and returns it. The bound is there so
 * that a broken build fails with words instead of hanging; it measures nothing.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  boundMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + boundMs;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${boundMs} ms in vain for: ${what}`);
    await new Promise((resume) => setTimeout(resume, POLL_MS));
  }
}
