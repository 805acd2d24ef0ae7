/** What `save` and `stop` are told on the command line. */

import { parseDuration } from '../units.ts';
import { usageError } from './usage-error.ts';

/** Words that the SDK and the supervisor draw conclusions from; a save by hand must not claim them. */
const RESERVED_KINDS: ReadonlySet<string> = new Set(['final', 'best', 'auto']);

const KIND = /^[a-z0-9-]{1,32}$/;

/** Which names `save --kind` takes, in words. */
export const KINDS = `up to 32 small letters, digits and dashes, but not ${[...RESERVED_KINDS].join(', ')}`;

const MOST_REASON_CHARACTERS = 300;

/** @throws NkatError `usage` */
export function timeoutOf(text: string | undefined, fallbackMs: number): number {
  if (text === undefined) return fallbackMs;
  const ms = parseDuration(text);
  if (ms !== null && ms > 0) return ms;
  throw usageError(`--timeout is ${JSON.stringify(text)}; accepted is a duration such as 90s, 5m or 1h30m`);
}

/** It stands in lines, of the log and of the screen: one line itself, and no longer than is read. */
export function reasonOf(text: string | undefined): string | null {
  const words = text?.replaceAll(/\s+/g, ' ').trim() ?? '';
  if (words === '') return null;
  return words.length <= MOST_REASON_CHARACTERS ? words : `${words.slice(0, MOST_REASON_CHARACTERS)}...`;
}

/** @throws NkatError `usage` */
export function kindOf(text: string): string {
  if (!KIND.test(text)) {
    const meant = text.toLowerCase();
    throw usageError(
      `--kind is ${JSON.stringify(text)}; accepted are ${KINDS}`,
      meant !== text && KIND.test(meant) ? `Did you mean --kind ${meant}?` : undefined,
    );
  }
  if (RESERVED_KINDS.has(text))
    throw usageError(`--kind ${text} is kept for the saves that the trainer makes by itself; accepted are ${KINDS}`);
  return text;
}
