/** What was ordered is done at a boundary, while the trainer waits. */
import { markBoundary, type RunParts } from './run-parts.ts';

/** @param saved a save that is to be waited for first */
export function obeyAll(parts: RunParts, saved?: Promise<unknown>): Promise<void> {
  return parts.turns.obey(async () => {
    const goesOn = parts.memory.mark.waits();
    // No turn without need: steps that nobody waits for let none happen.
    if (saved !== undefined) await saved;
    await parts.boundary.obey();
    parts.clock.interrupted();
    // What a listener changed is part of the boundary.
    markBoundary(parts);
    goesOn();
  });
}
