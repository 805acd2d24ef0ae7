/** Why a card gave no value. A value that is absent is never 0 and never healthy. */

export const ABSENT_REASONS = [
  'not-available',
  'not-supported',
  'deprecated',
  'no-permission',
  'unknown-error',
  'lost',
  'reset-required',
  'unreadable',
  'unknown-field',
] as const;
export type AbsentReason = (typeof ABSENT_REASONS)[number];

/**
 * What nvidia-smi prints in place of a value, in brackets or (temperature.memory, everything in the XML) without them. Sources: its
 * manual page, and what cards from GTX 1070 Ti to H200 under drivers 418 to 610 print.
 */
const PLACEHOLDERS: ReadonlyMap<string, AbsentReason> = new Map([
  ['n/a', 'not-available'],
  ['not supported', 'not-supported'],
  ['function not found', 'not-supported'],
  ['not found', 'not-supported'],
  ['requested functionality has been deprecated', 'deprecated'],
  ['insufficient permissions', 'no-permission'],
  ['unknown error', 'unknown-error'],
  ['gpu is lost', 'lost'],
  ['gpu requires reset', 'reset-required'],
]);

/** Null: the text is a value. A text in brackets that nobody has seen yet is no value either. */
export function readPlaceholder(text: string): AbsentReason | null {
  const bare = /^\[(.*)\]$/.exec(text);
  const words = (bare?.[1] ?? text).trim().toLowerCase();
  const known = PLACEHOLDERS.get(words);
  if (known !== undefined) return known;
  return bare === null && words !== '' ? null : 'unknown-error';
}

/** One card's state that no value can stand against. */
export function isGone(reason: AbsentReason | undefined): reason is 'lost' | 'reset-required' {
  return reason === 'lost' || reason === 'reset-required';
}
