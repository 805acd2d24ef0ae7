/** The exit code of a recovery, from those of its sessions. Pure. */
import { type ExitWord, exitCodeOf, exitCodeOfSignal } from '../exit-codes.ts';
import type { RecoveryResult } from './recover-events.ts';

/** What outweighs what: the first of these that any session ended with. */
const WORST_FIRST: readonly ExitWord[] = [
  'internal',
  'damaged',
  'io',
  'gpu-lost',
  'configuration',
  'fatal',
  'gave-up',
  'terminated',
  'interrupted',
  'stopped',
];

/**
 * 0 where every session has completed, or is in somebody else's hands by now.
 *
 * @param signal what the recovery itself was stopped with; null: nothing
 */
export function exitCodeOfRecovery(results: readonly RecoveryResult[], signal: NodeJS.Signals | null): number {
  const codes = results.filter(({ outcome }) => outcome !== 'held').map(({ exitCode }) => exitCode);
  if (signal !== null) {
    const unsaved = codes.some((code) => code !== 0 && code !== exitCodeOf('stopped'));
    if (unsaved) return exitCodeOfSignal(signal);
    return codes.includes(exitCodeOf('stopped')) ? exitCodeOf('stopped') : 0;
  }
  const worst = WORST_FIRST.map(exitCodeOf).find((code) => codes.includes(code));
  return worst ?? codes.find((code) => code !== 0) ?? 0;
}
