/** The trainer's word that an epoch is over: counted, judged, saved where a save is due, and all orders obeyed. */
import type { DrillEnd } from './drill-end.ts';
import type { EpochLoop } from './epoch-loop.ts';
import { obeyAll } from './obeying.ts';
import type { Metrics } from './run.ts';
import type { RunParts } from './run-parts.ts';

/** @param drill null: this is no rehearsal */
export async function finishEpoch(
  parts: RunParts,
  loop: EpochLoop,
  drill: DrillEnd | null,
  metrics: Metrics,
): Promise<void> {
  const { divergence, memory, epochEnd, notes, turns, boundary } = parts;
  divergence.refuse();
  const { epoch } = memory.position;
  loop.ended(metrics);
  const before = memory.best;
  const isBest = epochEnd.judge(metrics, epoch);
  notes.report(performance.now());
  const goesOn = memory.mark.waits();
  try {
    await turns.yield();
    await epochEnd.save(isBest, before);
    if (drill?.isReached === true) await drill.end(false);
    if (boundary.calls) await obeyAll(parts);
  } finally {
    goesOn();
  }
}
