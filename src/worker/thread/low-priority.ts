/** The writer must not take CPU time from training: on Linux a thread has a nice value of its own. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';

/** Nice value of the SDK's thread: yields to training, still above batch work at 19. */
const NICE = 10;

/** Lowers the priority of the calling thread alone. False where the platform has no thread ids or refuses. */
export function lowerThreadPriority(): boolean {
  try {
    // `<pid>/task/<tid>`; absent elsewhere, where setting a priority would hit the whole process.
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICE);
    return true;
  } catch {
    return false;
  }
}
