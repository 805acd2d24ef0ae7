/** Whether this machine lets a process be traced by another one. */
import { spawnSync } from 'node:child_process';

/** Attaches as the tests do: to a process that runs, not to a child of the tracer's own. */
const PROBE = 'sleep 0.2 & strace -qq -o /dev/null -p $!';

/** Null: it does. Else why not. */
export function whyNoFaults(): string | null {
  if (process.platform !== 'linux') return 'strace is a thing of Linux';
  if (spawnSync('strace', ['-V']).error !== undefined) return 'strace is not installed';
  const { status, stderr } = spawnSync('sh', ['-c', PROBE], { stdio: ['ignore', 'ignore', 'pipe'] });
  return status === 0 ? null : `strace may not attach to a process: ${String(stderr).trim()}`;
}
