/** Names that a person may give to a session, so that each still means that session on a later command line. */

import { usageError } from './usage-error.ts';

const MOST_CHARACTERS = 100;

/** @throws NkatError `usage` */
export function sessionNameOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text === 'latest') throw usageError('--name latest would hide the newest session, which that word means');
  if (text.trim() !== '' && text.length <= MOST_CHARACTERS && !/\p{Cc}/u.test(text)) return text;
  throw usageError(`--name is ${shortened(text)}; accepted are up to ${MOST_CHARACTERS} characters on one line`);
}

function shortened(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
