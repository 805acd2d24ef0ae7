/** The files of one attempt in the session's output folder. */
import { join } from 'node:path';

export interface AttemptFiles {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit status, written by the launcher when the worker has ended. */
  readonly exit: string;
  /** Room for the exit record, made before the launch so that a full disk does not lose it. */
  readonly exitPending: string;
  /** Pid and start time of the worker, written by the preload. */
  readonly pid: string;
  /** Why the worker ended itself while no supervisor was there: one line, written by the SDK's thread. */
  readonly note: string;
  /** How far the output was read. */
  readonly offsets: string;
}

export function attemptFiles(outputDirectory: string, attempt: number): AttemptFiles {
  const file = (extension: string): string => join(outputDirectory, `attempt-${attempt}.${extension}`);
  return {
    stdout: file('stdout'),
    stderr: file('stderr'),
    exit: file('exit'),
    exitPending: file('exit.pending'),
    pid: file('pid'),
    note: file('note'),
    offsets: file('offsets'),
  };
}
