/** What `save` and `stop` say while they wait, and when it is confirmed. */
import type { OnTheWay, SavedMessage } from '../../supervisor/control/ask-supervisor.ts';
import { aboutBytes } from '../../units.ts';
import { type Line, line } from './line.ts';
import { aboutDuration } from './quantities.ts';

/** A step that began this long ago makes the save wait noticeably. */
const LONG_STEP_MS = 1_000;

/** Null: nothing worth a line. */
export function onTheWayLine(message: OnTheWay): Line | null {
  if (message.type === 'saved')
    return line(`Checkpoint ${message.sequence} is durable; it is being read back.`, 'faint');
  if (message.lastStepAgeMs < LONG_STEP_MS) return null;
  const age = aboutDuration(message.lastStepAgeMs);
  return line(`The present step began ${age} ago; the save comes at its end.`, 'warning');
}

export function waitingLine(why: string): Line {
  return line(`Waiting: ${why}.`, 'warning');
}

export function confirmedLine({ sequence, step, epoch, kinds, reason, bytes, path }: SavedMessage): Line {
  const what = reason === null ? kinds.join(', ') : `${kinds.join(', ')}: ${reason}`;
  return line(
    `Checkpoint ${sequence} is saved and verified: epoch ${epoch}, step ${step} (${what}), ${aboutBytes(bytes)}, ${path}`,
    'good',
  );
}

export function stoppedLine(
  session: string,
  {
    outcome,
    sequence,
    step,
  }: { readonly outcome: string; readonly sequence: number | null; readonly step: number | null },
): Line {
  if (outcome === 'completed') return line(`Session ${session} had just completed.`, 'good');
  const saved = sequence === null ? '' : ` with checkpoint ${sequence}, step ${step}, saved and verified`;
  return line(`Session ${session} has stopped${saved}. Go on: nkat-recover resume ${session}`, 'good');
}
