/**
 * Durations, sizes and shares as people write them. Each parser has its exact inverse: `parse(format(x)) === x`.
 * A text that means nothing is `null`, never a guess.
 */

const DURATION_UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

/** As people and our own screen write them too: `5 min`, `2 hours`. */
const DURATION_WORDS: Readonly<Record<string, string>> = {
  sec: 's',
  second: 's',
  min: 'm',
  minute: 'm',
  hour: 'h',
  day: 'd',
};
const DURATION_WORD = '(?:(?:sec|second|min|minute|hour|day)s?|ms|[smhd])';
const DURATION = new RegExp(`^(?:\\d+(?:\\.\\d+)? ?${DURATION_WORD} ?)+$`);
const DURATION_PARTS = new RegExp(`(\\d+(?:\\.\\d+)?) ?(${DURATION_WORD})(?![a-z])`, 'g');

/** Milliseconds of `300s`, `5m`, `1h30m`, `250ms`, `2 days`; a bare number is seconds. Null: not a duration. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return wholeMs(Number(trimmed) * 1_000);
  if (!DURATION.test(trimmed)) return null;
  let total = 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (const [, amount, word = ''] of trimmed.matchAll(DURATION_PARTS)) {
    const unit = DURATION_WORDS[word.length > 2 ? word.replace(/s$/, '') : word] ?? word;
    const ms = DURATION_UNITS.find(([name]) => name === unit)?.[1];
    // Units fall from left to right, so that `1s2h`, which is a slip, is not taken.
    if (ms === undefined || ms >= smallest) return null;
    smallest = ms;
    total += Number(amount) * ms;
  }
  return wholeMs(total);
}

/** `5m`, `1h30m`, `250ms`, `0s`: exact for whole milliseconds, as settings are written; what is told is `aboutDuration`. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  if (rest <= 0) return '0s';
  let text = '';
  for (const [unit, size] of DURATION_UNITS) {
    const amount = Math.floor(rest / size);
    if (amount > 0) text += `${amount}${unit}`;
    rest -= amount * size;
  }
  return text;
}

/** As a person reads it at a glance, nothing to be read back: `140 ms`, `4.2 s`, `14 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function aboutDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return 'an unknown time';
  if (ms < 995) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${Number((ms / 1_000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return twoUnits(seconds, 60, 'min', 1, 's');
  if (seconds < 86_400) return twoUnits(seconds, 3_600, 'h', 60, 'min');
  return twoUnits(seconds, 86_400, 'd', 3_600, 'h');
}

/** One unit only, for narrow columns and ages: `14 s`, `3 min`, `2 h`, `5 d`. */
export function aboutAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

const SIZE_UNITS: readonly (readonly [unit: string, bytes: number])[] = [
  ['TiB', 2 ** 40],
  ['TB', 1e12],
  ['GiB', 2 ** 30],
  ['GB', 1e9],
  ['MiB', 2 ** 20],
  ['MB', 1e6],
  ['KiB', 2 ** 10],
  ['KB', 1e3],
  ['B', 1],
];

/** Bytes of `20GB` (10^9), `20GiB` (2^30), `512MB`, `1.5G`, `4096`. Null: not a size. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim());
  if (match === null) return null;
  const word = (match[2] ?? '').toLowerCase();
  const unit = SIZE_UNITS.find(([name]) => name.toLowerCase() === (/^[tgmk]$/.test(word) ? `${word}b` : word || 'b'));
  if (unit === undefined) return null;
  const bytes = Math.round(Number(match[1]) * unit[1]);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The largest unit that divides the size: `20GB`, `1GiB`, `1234B`; exact. */
export function formatSize(bytes: number): string {
  const unit = SIZE_UNITS.find(([, size]) => bytes >= size && bytes % size === 0) ?? (['B', 1] as const);
  return `${bytes / unit[1]}${unit[0]}`;
}

/** `812 B`, `4.2 MB`, `1.3 GB`: decimal units, as disks are sold. */
export function aboutBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** 0.005 of `0.5%`. The sign is asked for: `0.5` alone could mean either. Null: not a share from 0% to 100%. */
export function parseShare(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?%$/.exec(text.trim());
  if (match === null) return null;
  const percent = Number(match[1]);
  return percent <= 100 ? Number((percent / 100).toPrecision(12)) : null;
}

/** `0.5%` of 0.005. */
export function formatShare(share: number): string {
  return `${Number((share * 100).toPrecision(12))}%`;
}

function wholeMs(ms: number): number | null {
  const whole = Math.round(ms);
  return Number.isSafeInteger(whole) ? whole : null;
}

function twoUnits(seconds: number, big: number, bigName: string, small: number, smallName: string): string {
  const rest = Math.floor((seconds % big) / small);
  return `${Math.floor(seconds / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`;
}
