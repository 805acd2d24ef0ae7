/** The launcher's script and the record that it leaves: how a worker ended, although no supervisor was there. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { errnoOf } from '../errors.ts';
import type { AttemptFiles } from './attempt-files.ts';
import type { WorkerEnd } from './worker-end.ts';

/**
 * Run as `sh -c SCRIPT nkat-launch <exit record> <command...>`.
 *
 * - Stop signals go to the whole group, and the launcher must outlive the worker to record its status: it traps them.
 *   A trap is reset in children, where an ignored signal would stay ignored.
 * - The worker runs in the foreground: a background child of a non-interactive sh has SIGINT ignored.
 * - The shell's own words ("Killed") go nowhere, the worker has the real stderr; a failed exec is told there too. In a
 *   subshell, because dash redirects for a plain command in itself.
 * - From the worker's end on the signals are ignored, so that `mv`, which has no traps, is not killed by them.
 * - `1<>` writes over the room that was made before the launch: no new block is needed on a full disk.
 */
export const LAUNCH_SCRIPT = `trap : HUP INT QUIT ALRM TERM USR1 USR2
record=$1
shift
exec 3>&2 2>/dev/null
(exec "$@" 2>&3 3>&-)
status=$?
trap '' HUP INT QUIT ALRM TERM USR1 USR2
umask 077
printf '%s\\n' "$status" 1<>"$record.pending" && command -p mv -f "$record.pending" "$record"
exit "$status"
`;

/** Content of the room for the record: longer than any status. */
export const EMPTY_RECORD = '       \n';

/**
 * What a shell's status means: 128 + n stands for signal n, if there is such a signal. A worker that itself exits
 * with such a code (130, 143...) cannot be told from one that the signal ended; all shells have this in common.
 */
export function decodeStatus(status: number): { code: number | null; signal: NodeJS.Signals | null } {
  const signal = status > 128 ? signalOfNumber(status - 128) : null;
  return signal === null ? { code: status, signal: null } : { code: null, signal };
}

/** The end that the launcher recorded; null: there is no (whole) record, so the launcher was killed or still runs. */
export function readExitRecord(files: Pick<AttemptFiles, 'exit'>): WorkerEnd | null {
  let text: string;
  try {
    text = readFileSync(files.exit, 'latin1');
  } catch (error) {
    // Unreadable is as good as missing: the end is then told as vanished, and the machine goes on.
    if (errnoOf(error) === null) throw error;
    return null;
  }
  const status = /^(\d{1,3})\n/.exec(text)?.[1];
  if (status === undefined) return null;
  return { ...decodeStatus(Number(status)), source: 'record' };
}

function signalOfNumber(number: number): NodeJS.Signals | null {
  for (const [name, value] of Object.entries(constants.signals)) {
    if (value === number) return name as NodeJS.Signals;
  }
  return null;
}
