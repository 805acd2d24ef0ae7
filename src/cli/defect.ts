/** An unexpected error: the screen gets one line, a file gets what is needed to mend it. */

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StateHome } from '../home.ts';
import { makeDirectory } from '../make-directory.ts';

/** @returns what to write to stderr; with `debug` the stack too */
export function recordDefect(error: unknown, home: StateHome, debug: boolean): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  const path = join(home.logs, 'internal-errors.log');
  const details = debug ? `${stack}\n` : '';
  try {
    makeDirectory(home.logs, 0o700);
    const entry = `${new Date().toISOString()} node ${process.version} ${process.platform} ${process.argv.slice(2).join(' ')}\n${stack}\n`;
    appendFileSync(path, entry, { mode: 0o600 });
    return `nkat-recover: internal error: ${message}. Details are in ${path}\n${details}`;
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure);
    return `nkat-recover: internal error: ${message}. No details were kept: ${why}; NKAT_DEBUG=1 shows them\n${details}`;
  }
}
