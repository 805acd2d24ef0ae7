/** How far work without epochs is, as it says itself. */
import { NkatError } from '../errors.ts';

/** Longest name of a stage, as the protocol admits it. */
const MAX_STAGE = 256;

export interface ReportedProgress {
  /** From 0 to 100. */
  readonly percent: number;
  /** What is being done. */
  readonly stage: string | null;
  /** Numbers found so far, by name. */
  readonly results: Readonly<Record<string, number>>;
}

/** @throws NkatError `usage` for what is no share, no text, or no number */
export function reportedProgress(
  percent: number,
  stage: string | null,
  results: Readonly<Record<string, number>>,
): ReportedProgress {
  if (typeof percent !== 'number') throw refused(`percent is ${withArticle(percent)}, not a number`);
  if (!(percent >= 0 && percent <= 100)) throw refused(`percent must be from 0 to 100, not ${percent}`);
  if (stage !== null && (typeof stage !== 'string' || stage.length > MAX_STAGE)) {
    throw refused(`a stage is a text of at most ${MAX_STAGE} characters`);
  }
  if (typeof results !== 'object' || results === null || Array.isArray(results)) {
    throw refused(`results are numbers by name, such as { found: 3 }, not ${withArticle(results)}`);
  }
  const wrong = Object.entries(results).find(([, value]) => typeof value !== 'number');
  if (wrong !== undefined) throw refused(`result '${wrong[0]}' is ${withArticle(wrong[1])}, not a number`);
  // What is no finite number cannot be shown; it is left out rather than refused, as with metrics.
  return {
    percent,
    // It stands in lines, of the screen and of tables.
    stage: stage === null ? null : stage.replace(/\s+/g, ' ').trim(),
    results: Object.fromEntries(Object.entries(results).filter(([, value]) => Number.isFinite(value))),
  };
}

function withArticle(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const kind = Array.isArray(value) ? 'array' : typeof value;
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

function refused(message: string): NkatError {
  return new NkatError(message, { code: 'usage', operation: 'report progress' });
}
