/** Ids of sessions: readable, sortable by start, unique enough for one machine. */

/** Crockford's base 32: no letters that look like digits. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * `YYYYMMDD_HHMMSS_xxxx`: local start time and 4 random base-32 characters.
 * @param random like `Math.random`: in [0, 1)
 */
export function newSessionId(now: Date, random: () => number): string {
  const date = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()];
  const suffix = Array.from({ length: 4 }, () => ALPHABET[Math.floor(random() * ALPHABET.length)]);
  return `${joined(date)}_${joined(time)}_${suffix.join('')}`;
}

/** True for what {@link newSessionId} may have made. */
export function isSessionId(text: string): boolean {
  return /^\d{8}_\d{6}_[0-9a-z]{4}$/.test(text);
}

function joined(parts: readonly number[]): string {
  return parts.map((part) => String(part).padStart(2, '0')).join('');
}
