/** Tells the supervisor who we are, before anything of the trainer runs. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { errnoOf } from '../../errors.ts';

/**
 * Writes `<pid> <start time>` to `path`, by rename. The start time is field 22 of /proc/self/stat, `-` where there is
 * none. A failure is only said: the supervisor has other ways to find us, and training matters more.
 */
export function announceProcess(path: string | undefined): void {
  if (!path) return;
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, `${process.pid} ${startTime()}\n`, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    process.emitWarning(`nkat-recover could not write ${path}: ${errnoOf(error) ?? String(error)}`);
  }
}

function startTime(): string {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    // The second field, the command in parentheses, may hold spaces and parentheses: count from behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
  } catch {
    // No /proc on this platform.
    return '-';
  }
}
