/**
 * At its end Node puts the terminal back as it found it, and aborts where that terminal is gone (SIGABRT or SIGSEGV
 * instead of our exit code). It passes over descriptors that are closed.
 */
import { closeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { errnoOf } from '../errors.ts';

/** To be called at the start, while the terminal is there. */
export function surviveLostTerminal(): void {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  process.on('exit', () => {
    for (const descriptor of terminals) if (!isatty(descriptor)) closeQuietly(descriptor);
  });
}

function closeQuietly(descriptor: number): void {
  try {
    closeSync(descriptor);
  } catch (error) {
    // Closed already, which is all that is wanted.
    if (errnoOf(error) === null) throw error;
  }
}
