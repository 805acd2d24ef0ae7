/** Writes down what the machine has decided, before anything of it is done: the record of the session, then the index. */
import { NkatError } from '../errors.ts';
import type { MachineEvent } from './machine/event.ts';
import type { State } from './machine/state.ts';
import type { OnsetWarnings } from './onset-warnings.ts';
import type { SessionContext } from './session-context.ts';

export class TransitionBook {
  readonly #context: SessionContext;
  readonly #warnings: OnsetWarnings;

  constructor(context: SessionContext, warnings: OnsetWarnings) {
    this.#context = context;
    this.#warnings = warnings;
  }

  /** Enters one transition; the event that led to nothing new leaves no trace. */
  async enter(before: State, event: MachineEvent, after: State): Promise<void> {
    if (before === after) return;
    const { record, index } = this.#context;
    const { attempt, budget, lastStep, stopSignal } = after.ledger;
    // Durable with the wish itself: a power cut during the stop must not undo it.
    const stoppedBy = stopSignal === null ? null : (after.ledger.stoppedBy ?? 'operator');
    record.change({ attempts: attempt, budget, lastStep: Math.max(lastStep, record.file.lastStep), stoppedBy });
    // In one write with the budget: a supervisor that dies before it has dealt with the end must not have it counted twice.
    const { worker } = record.file;
    if (worker !== null && countsEnd(before, event)) record.change({ worker: { ...worker, counted: true } });
    await this.persist();
    if (before.kind === after.kind) return;
    if (before.kind === 'starting' && after.kind === 'running')
      this.#warnings.end('launch', 'The worker could be launched');
    const outcome = after.kind === 'ended' ? { outcome: after.outcome, reason: after.reason } : {};
    await index.transition(attempt, before.kind, event.type, after.kind, { budget, lastStep, ...outcome });
  }

  /** A full disk must not end the training that it endangers: the next change is written again. */
  async persist(): Promise<void> {
    try {
      await this.#context.record.persist();
      this.#warnings.end('session-file', 'The record of the session is written again');
    } catch (error) {
      if (!(error instanceof NkatError)) throw error;
      const message = `The record of the session is kept in memory until it can be written: could not ${error.operation}: ${error.message}`;
      this.#warnings.begin('session-file', message, error.hint ?? null);
    }
  }
}

/** Whether this transition has taken the end of an attempt into the budget. */
function countsEnd(before: State, event: MachineEvent): boolean {
  if (before.kind === 'opening') return event.type === 'no-orphan' && event.unseenEnd !== null;
  return before.kind === 'classifying' && event.type === 'evidence-gathered';
}
