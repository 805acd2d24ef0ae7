/** From the word that a person types to one session. */
import { NkatError } from '../errors.ts';
import type { SessionRow } from './types.ts';

/** How many candidates an ambiguous word names. */
const NAMED_CANDIDATES = 10;

export interface SessionLookup {
  find(id: string): SessionRow | null;
  startingWith(prefix: string, limit: number): SessionRow[];
  newestByName(name: string): SessionRow | null;
  newest(): SessionRow | null;
}

/**
 * An exact id, then the newest of that exact name, which was given on purpose, then a unique prefix, then `latest`.
 * @throws NkatError 'session-ambiguous', 'session-not-found'.
 */
export function resolveSession(sessions: SessionLookup, word: string): SessionRow {
  const exact = sessions.find(word);
  if (exact !== null) return exact;
  const named = word === '' ? null : sessions.newestByName(word);
  if (named !== null) return named;
  const candidates = word === '' ? [] : sessions.startingWith(word, NAMED_CANDIDATES + 1);
  if (candidates.length === 1 && candidates[0] !== undefined) return candidates[0];
  const newest = word === 'latest' ? sessions.newest() : null;
  if (newest !== null) return newest;
  if (candidates.length > 1) throw ambiguous(word, candidates);
  const none = sessions.newest() === null;
  throw new NkatError(none ? 'there is no session yet' : `there is no session '${word}'`, {
    code: 'session-not-found',
    operation: 'find the session',
    hint: none ? 'Start one: nkat-recover run train.ts' : 'See all of them: nkat-recover list --all',
  });
}

function ambiguous(word: string, candidates: readonly SessionRow[]): NkatError {
  const named = candidates.slice(0, NAMED_CANDIDATES).map(({ id, name }) => (name === null ? id : `${id} (${name})`));
  const rest = candidates.length > NAMED_CANDIDATES ? ' and more' : '';
  return new NkatError(`'${word}' could be ${named.join(', ')}${rest}`, {
    code: 'session-ambiguous',
    operation: 'find the session',
    hint: 'Type more of the id.',
  });
}
