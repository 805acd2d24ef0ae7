/** The worker's own pid, as the preload wrote it: `<pid> <start time>`. */
import { readFileSync } from 'node:fs';
import { isAlive } from '../checkpoint/process-identity.ts';
import type { ProcessIdentity } from '../checkpoint/types.ts';
import { errnoOf } from '../errors.ts';
import type { AttemptFiles } from './attempt-files.ts';

/** Names the file in the environment of a worker. */
export const PID_FILE_VARIABLE = 'NKAT_PID_FILE';
/** Names the file that a worker which ends itself leaves a line in; its SDK's thread reads it much later. */
export const NOTE_FILE_VARIABLE = 'NKAT_NOTE_FILE';

/** The worker that announced itself, whether it still lives or not; null: none has yet. */
export function announcedWorker(files: Pick<AttemptFiles, 'pid'>, group: ProcessIdentity): ProcessIdentity | null {
  let text: string;
  try {
    text = readFileSync(files.pid, 'latin1');
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
  const match = /^(\d+) (\S+)\s*$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  const startTime = /^\d+$/.test(match[2]) ? match[2] : null;
  return { pid: Number(match[1]), startTime, bootId: group.bootId };
}

/** The same, if it is alive: pid and start time both fit. */
export function livingWorker(files: Pick<AttemptFiles, 'pid'>, group: ProcessIdentity): ProcessIdentity | null {
  const worker = announcedWorker(files, group);
  return worker !== null && isAlive(worker) ? worker : null;
}
