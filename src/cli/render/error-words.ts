import type { ErrorCode, NkatError } from '../../errors.ts';
import { type Line, line } from './line.ts';
import { printable } from './width.ts';

/** A refusal: what could not be done, why, where, and what helps. */
export function errorWords(error: NkatError): Line[] {
  const place = error.path === undefined || error.message.includes(error.path) ? '' : ` (${error.path})`;
  const text = `nkat-recover: cannot ${error.operation}: ${error.message}${place}`;
  return [line(harmless(text), 'bad', 'always'), line(harmless(hintOf(error)), 'plain', 'always')];
}

/** Names and values that are quoted here come from files: none of them may move the cursor. */
function harmless(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** What helps in general, where the place that refused knew nothing better. */
const HINTS: Readonly<Record<ErrorCode, string>> = {
  usage: 'See nkat-recover --help.',
  configuration: 'nkat-recover config shows each setting and where it comes from.',
  preflight: 'Mend what is named, then run the same line again.',
  'session-not-found': 'nkat-recover list --all shows every session.',
  'session-ambiguous': 'Type more of the id: nkat-recover list --all shows every session.',
  'session-held': 'Stop it where it runs, or start another session with --new.',
  'session-not-running': 'nkat-recover list shows which sessions run.',
  'attempt-not-found': 'nkat-recover show lists the attempts of a session.',
  'checkpoint-not-found': 'nkat-recover show lists the checkpoints of a session.',
  unconfirmed: 'nkat-recover show tells what the session has by now.',
  'no-verified-checkpoint': 'nkat-recover explain says what is wrong with each checkpoint.',
  'checkpoint-damaged': 'nkat-recover explain says which checkpoint is taken instead.',
  'checkpoint-unreadable': 'Nothing is lost yet: check the disk and its permissions, then try again.',
  'checkpoint-gone': 'nkat-recover show lists the checkpoints that are left.',
  'format-newer': 'Update nkat-recover: a newer version wrote this.',
  'store-missing': 'Mount the disk that is missing, then run the same line again.',
  fenced: 'Another supervisor has taken the session over: nkat-recover list shows it.',
  'no-space': 'Make room on the disk, then run the same line again.',
  io: 'Check the disk and the permissions of the path.',
  'database-newer': 'Update nkat-recover: a newer version wrote the database.',
  'database-damaged': 'Nothing but the index is lost: it is rebuilt from the checkpoints.',
  protocol: 'Update nkat-recover and the trainer to the same version.',
  'state-not-serializable': 'Keep plain values in run.keep, and everything else in files of the trainer.',
  'state-mismatch': 'The trainer has changed since the checkpoint: take the old one, or start anew with --new.',
  diverged: 'Lower the learning rate, then start anew with --new.',
  'backend-missing': 'nkat-recover backend install builds one; without it leave the choice to useBackend().',
  'backend-broken': 'nkat-recover backend remove, then nkat-recover backend install.',
  'backend-platform': 'Without it training runs on the wasm backend.',
  'python-missing': 'Install Python 3 (Debian, Ubuntu: apt-get install python3 python3-pip).',
  'pip-missing': 'Install pip (Debian, Ubuntu: apt-get install python3-pip).',
  'npm-missing': 'Install npm: it comes with Node from nodejs.org.',
  'compiler-missing': 'Install a C++ compiler and make (Debian, Ubuntu: apt-get install build-essential).',
  'node-headers-missing': 'Name the folder of a Node with headers with --nodedir.',
  'download-failed':
    'Look at the network and its proxy, then run the same line again: what is complete is not fetched twice.',
  'download-damaged': 'Run the same line again: it is fetched anew.',
  'unkillable-worker': 'It waits for the system, mostly for a disk or a driver: a reboot ends it.',
  internal: 'NKAT_DEBUG=1 shows more; please report it.',
};

export function hintOf({ code, hint }: Pick<NkatError, 'code' | 'hint'>): string {
  return hint ?? HINTS[code];
}

/** The same for programs. */
export function errorJson(error: NkatError): object {
  const { code, operation, message, path = null } = error;
  return { version: 1, error: { code, operation, message, path, hint: hintOf(error) } };
}
