/** What the last words of a program that failed mean. */
import { type ErrorCode, NkatError } from '../errors.ts';
import type { ProgramEnd } from './program.ts';

const NO_SPACE = /no space left on device|ENOSPC|disk quota exceeded|EDQUOT/i;
/** Of pip, npm and the libraries below them. */
const NO_NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT|network is unreachable|name or service not known|temporary failure in name resolution|failed to establish a new connection|connection (?:refused|reset|timed out)|read timed out|max retries exceeded|proxyerror|sslerror|certificate/i;
const UNKNOWN_VERSION = /no matching distribution found|could not find a version|E404|ETARGET|notarget/i;
/** Lines that say least of what went wrong. */
const NOISE = /^\s*$|^npm (?:error|ERR!) (?:A complete log|\s*\/)|^\[?notice|^WARNING: /i;

export interface FailedProgram {
  /** For a person: `pip`, `npm`, `node-gyp`. */
  readonly program: string;
  /** In the infinitive. */
  readonly operation: string;
  /** Where neither network nor disk is the cause. */
  readonly otherwise: ErrorCode;
  readonly log: string;
}

/** Why a program failed, by its words: a full disk before a network before anything else. */
export function failedProgram({ tail, code, errno }: ProgramEnd, failed: FailedProgram): NkatError {
  const { program, operation, otherwise, log } = failed;
  const text = tail.join('\n');
  const said = tail.filter((line) => !NOISE.test(line));
  // The line that names the cause; else the last that says anything.
  const naming = [NO_SPACE, NO_NETWORK, UNKNOWN_VERSION]
    .map((pattern) => tail.findLast((line) => pattern.test(line)))
    .find((line) => line !== undefined);
  const words = (
    naming ??
    said.findLast((line) => /error/i.test(line)) ??
    said.at(-1) ??
    `it ended with ${errno ?? code ?? 'a signal'}`
  )
    .trim()
    .slice(0, 300);
  const details = { operation, path: log };
  if (NO_SPACE.test(text)) {
    return new NkatError(`the disk is full: ${words}`, { ...details, code: 'no-space' });
  }
  if (NO_NETWORK.test(text)) {
    return new NkatError(`${program} cannot reach the network: ${words}`, { ...details, code: 'download-failed' });
  }
  if (UNKNOWN_VERSION.test(text)) {
    return new NkatError(`${program} finds no such version: ${words}`, {
      ...details,
      code: 'download-failed',
      hint: 'Leave --tensorflow out for the version that is tested, and look at the index that pip and npm are set up with.',
    });
  }
  return new NkatError(`${program} failed: ${words}`, { ...details, code: otherwise });
}
