/** Lines of a session's log as records, and which of them were asked for. */

import { usageError } from './usage-error.ts';

export const LOG_LEVELS = ['info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogRecord {
  readonly level: LogLevel;
  readonly time: string;
  readonly attempt: number | null;
  /** Null: a line of the worker's own output. */
  readonly event: string | null;
  readonly stream: 'stdout' | 'stderr' | null;
  readonly msg: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Null: the line is damaged. */
export function logRecordOf(text: string): LogRecord | null {
  const facts = parsed(text);
  if (facts === null) return null;
  const { level, time, attempt, event, stream, msg } = facts;
  if (typeof time !== 'string') return null;
  return {
    level: level === 'error' ? 'error' : level === 'warn' || level === 'warning' ? 'warn' : 'info',
    time,
    attempt: typeof attempt === 'number' ? attempt : null,
    event: typeof event === 'string' ? event : null,
    stream: stream === 'stdout' || stream === 'stderr' ? stream : null,
    msg: typeof msg === 'string' ? msg : '',
    facts,
  };
}

export interface LogFilter {
  readonly attempt: number | null;
  readonly level: LogLevel;
  /** Tried on the words as they are shown. */
  readonly pattern: RegExp | null;
}

export function passes({ level, attempt }: LogRecord, filter: LogFilter): boolean {
  if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(filter.level)) return false;
  return filter.attempt === null || attempt === filter.attempt;
}

export interface Pattern {
  readonly pattern: RegExp;
  /** True: it is no regular expression, so it is looked for as it stands. */
  readonly plain: boolean;
}

/** A regular expression where it is one, else the text itself. */
export function patternOf(text: string): Pattern {
  try {
    return { pattern: new RegExp(text), plain: false };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { pattern: new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')), plain: true };
  }
}

/** @throws NkatError `usage` */
export function countOf(text: string, flag: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : null;
  if (value !== null) return value;
  throw usageError(`${flag} is ${JSON.stringify(text)}; accepted is a whole number`);
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
