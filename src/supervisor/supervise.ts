import { NkatError } from '../errors.ts';
import type { SessionEnd, SuperviseOptions } from './options.ts';

/**
 * Runs one session to its end: claims it, launches or adopts the worker, recovers it as often as the budget allows.
 *
 * @throws NkatError `session-held`, `store-missing`, `session-not-found`, `configuration`
 */
export async function supervise(options: SuperviseOptions): Promise<SessionEnd> {
  throw new NkatError('the run loop is being written', { code: 'internal', operation: `supervise ${options.target.kind}` });
}
