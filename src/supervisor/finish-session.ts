/** The last that is written down of a session: how it ended, or that nothing was changed. */
import type { SessionFile } from '../checkpoint/types.ts';
import { NkatError } from '../errors.ts';
import { isOpenState, type SessionState } from '../words.ts';
import type { EventSink } from './event-sink.ts';
import type { Outcome } from './events.ts';
import type { Ended } from './machine/state.ts';
import type { SessionEnd } from './options.ts';
import type { SessionContext } from './session-context.ts';

/** A resume that came to nothing: a slip of the pen changes nothing. */
export interface Undone {
  /** The session as it was. */
  readonly before: SessionFile;
  /** What was asked for and cannot be had: a checkpoint that is not there, arguments that the trainer refuses. */
  readonly slip: 'checkpoint' | 'arguments';
}

/** @param undone null: what the run has come to stands */
export async function finish(
  ended: Ended,
  context: SessionContext,
  sink: EventSink,
  undone: Undone | null,
): Promise<SessionEnd> {
  const { record, index, layout } = context;
  const { outcome, reason, ledger } = ended;
  const before = undone?.before ?? null;
  const wasOver = before !== null && !isOpenState(before.state);
  const state = wasOver ? before.state : stateOf(outcome);
  record.change({ state });
  if (before !== null) await restore(before, context);
  // A worker hangs in the kernel, mostly over the session's own disk: a write there would hang us as well, past any signal.
  if (outcome !== 'unkillable') await persistEnd(context);
  index.flush();
  const summary = sink.summary();
  await index.patchSession({ state, supervisorPid: null, workerPid: null });
  const hint = undone === null ? null : HINTS[undone.slip](layout.session);
  context.tell({ name: 'session-ended', outcome, reason, hint, lastLines: sink.lastLines(), summary });
  return { session: layout.session, outcome, signal: ledger.stopSignal, reason, summary };
}

const HINTS: Readonly<Record<Undone['slip'], (session: string) => string>> = {
  checkpoint: (session) =>
    `The session is as it was. What it has: nkat-recover show ${session}; without --from the newest that verifies is taken.`,
  arguments: (session) =>
    `The session keeps the arguments that it had: nkat-recover resume ${session} goes on with those.`,
};

async function restore(before: SessionFile, { record, index, settings }: SessionContext): Promise<void> {
  const { identity, sourceDigest, budget, stoppedBy, launch } = before;
  record.change({ identity, sourceDigest, budget, stoppedBy, launch });
  await index.open(record.file, settings.root, process.pid);
}

/** The outcome is told whether or not there is room to note it; without, the next start finds out by itself. */
async function persistEnd({ record, tell }: SessionContext): Promise<void> {
  try {
    await record.persist();
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
    const message = `how the session ended could not be noted in its record: ${error.message}`;
    tell({ name: 'notice', level: 'warning', message });
  }
}

function stateOf(outcome: Outcome): SessionState {
  switch (outcome) {
    case 'completed':
      return 'completed';
    case 'gave-up':
      return 'gave-up';
    case 'gpu-lost':
      return 'gpu-lost';
    case 'stopped-saved':
    case 'stopped-unsaved':
      return 'interrupted';
    default:
      return 'crashed';
  }
}
