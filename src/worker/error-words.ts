/** What the trainer threw, in words. Anything can be thrown, and putting it into words must not throw once more. */

/** Longest reason in a manifest and on the screen. */
const REASON_LENGTH = 300;

/** What an error says, in one line. */
export function firstLine(error: unknown): string {
  return (wordsOf(error).split('\n', 1)[0] ?? '').slice(0, REASON_LENGTH);
}

/** The same with its stack, where it has one. */
export function withStack(error: unknown): string {
  try {
    return error instanceof Error && typeof error.stack === 'string' ? error.stack : firstLine(error);
  } catch {
    // Its stack is a getter of the trainer's that threw.
    return firstLine(error);
  }
}

function wordsOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    // A getter of the trainer's threw, or it is an object without a prototype.
    return 'something that cannot be put into words was thrown';
  }
}
