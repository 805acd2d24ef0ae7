/** Whether this machine is shutting down or rebooting: a stop signal then comes from it, and not from a person. */
import { runProgram } from '../run-program.ts';

/** It is asked in the middle of a stop, which waits for nobody. */
const ANSWER_MS = 2_000;

/** False also where that cannot be found out. Never rejects. */
export async function isGoingDown(environment: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const systemd = await said(['systemctl', 'is-system-running'], environment);
  if (systemd !== '' && systemd !== 'offline') return systemd === 'stopping';
  // Runlevels of System V: 0 is the halt, 6 the reboot.
  return /\s[06]$/.test(await said(['runlevel'], environment));
}

/** `is-system-running` ends with 1 whenever it is not all well, so that only its word counts. */
async function said(words: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
  return (await runProgram(words, environment, ANSWER_MS)).stdout;
}
