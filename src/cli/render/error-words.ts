import type { NkatError } from '../../errors.ts';
import { type Line, line } from './line.ts';

/** A refusal: what could not be done, why, where, and what helps. */
export function errorWords(error: NkatError): Line[] {
  const place = error.path === undefined || error.message.includes(error.path) ? '' : ` (${error.path})`;
  const lines = [line(`nkat-recover: cannot ${error.operation}: ${error.message}${place}`, 'bad', 'always')];
  if (error.hint !== undefined) lines.push(line(error.hint, 'plain', 'always'));
  return lines;
}

/** The same for programs. */
export function errorJson(error: NkatError): object {
  const { code, operation, message, path = null, hint = null } = error;
  return { version: 1, error: { code, operation, message, path, hint } };
}
