/** A save that the trainer asks for itself. */
import { noState } from './boundary.ts';
import type { ManualSave } from './run.ts';
import type { RunParts } from './run-parts.ts';
import type { SaveOutcome } from './save-in-flight.ts';
import { usage } from './usage.ts';
import { SAVED_INSIDE_STEP } from './warnings.ts';

/** @throws NkatError `usage` for a word that is no kind, and before `restore` */
export async function saveByHand(
  { divergence, boundary, memory, warnings }: RunParts,
  { kind = 'manual', kinds = [kind], reason }: ManualSave,
): Promise<SaveOutcome> {
  divergence.refuse();
  if (boundary.state === null) throw noState();
  const wrong = kinds.find((word) => !/^[a-z0-9-]{1,32}$/.test(word));
  if (wrong !== undefined || kinds.length === 0) throw usage(`'${wrong ?? ''}' is no kind: use [a-z0-9-]`, 'save');
  if (memory.position.batchOpen) warnings.once(SAVED_INSIDE_STEP);
  const wish = { kinds, reason: reason ?? null, requests: [] };
  const handle = await boundary.saveNow(wish, 'at-once');
  return boundary.waitForDisk(handle.outcome);
}
