/** What `save` and `stop` are told on the command line. */

import { parseDuration } from '../units.ts';
import { usageError } from './usage-error.ts';

/** Words that the SDK and the supervisor draw conclusions from; a save by hand must not claim them. */
const RESERVED_KINDS: ReadonlySet<string> = new Set(['final', 'best', 'auto']);

/** @throws NkatError `usage` */
export function timeoutOf(text: string | undefined, fallbackMs: number): number {
  if (text === undefined) return fallbackMs;
  const ms = parseDuration(text);
  if (ms !== null && ms > 0) return ms;
  throw usageError(`--timeout is ${JSON.stringify(text)}; accepted is a duration such as 90s, 5m or 1h30m`);
}

/** @throws NkatError `usage` */
export function kindOf(text: string): string {
  if (!/^[a-z0-9-]{1,32}$/.test(text)) {
    throw usageError(`--kind is ${JSON.stringify(text)}; accepted are up to 32 small letters, digits and dashes`);
  }
  if (RESERVED_KINDS.has(text))
    throw usageError(`--kind ${text} is kept for the saves that the trainer makes by itself`);
  return text;
}
