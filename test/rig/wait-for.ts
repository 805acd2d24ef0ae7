const POLL_MS = 20;
/** Below the bound of a whole test, so that what was waited for is named; nothing takes that long, on no machine. */
const BOUND_MS = 150_000;

/**
 * Waits until `condition` gives something other than null, undefined or false, and returns it. The bound is there so
 * that a broken build fails with words instead of hanging; it measures nothing.
 */
export async function waitFor<T>(
  what: string | (() => string),
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + BOUND_MS;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadline)
      throw new Error(`waited ${BOUND_MS} ms in vain for: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resume) => setTimeout(resume, POLL_MS));
  }
}
