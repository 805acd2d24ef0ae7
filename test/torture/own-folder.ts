/** All that a torture run leaves lying lies in one folder, and goes when the run ends, however it ends. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signalPid } from '../rig/run.ts';
import { processesUnder } from '../storm/worker-watch.ts';

/** From now on temporary folders of this process lie in one of its own; what is left of them at its end is undone. */
export function useOwnFolder(): void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'nkat-torture-')));
  process.env.TMPDIR = folder;
  process.once('exit', () => leaveNothing(folder));
}

/** A run that was cut short has its sessions still training and its disks mounted. */
function leaveNothing(folder: string): void {
  for (let left = processesUnder(folder); left.length > 0; left = processesUnder(folder)) {
    for (const pid of left) signalPid(pid, 'SIGKILL');
  }
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const own = mounts.flatMap((line) => line.split(' ')[1] ?? []).filter((path) => path.startsWith(`${folder}/`));
  for (const path of own) spawnSync('umount', ['-l', path]);
  rmSync(folder, { recursive: true, force: true });
}
