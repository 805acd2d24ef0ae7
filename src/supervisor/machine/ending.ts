/** After the worker: empty its group, conclude why it ended, confirm the outcome or launch again. */
import type { WorkerEnd } from '../worker-end.ts';
import { type Classification, classify } from './classify.ts';
import type { Effect, Step } from './effect.ts';
import type { EventOf, MachineEvent } from './event.ts';
import { toPreflight } from './launching.ts';
import { note } from './notes.ts';
import { decideRestart, progressIn } from './restart-policy.ts';
import type { MachineSettings } from './settings.ts';
import type { AwaitingCard, BackingOff, Classifying, Confirming, Launch, Ledger, Reaping, State } from './state.ts';
import { end, endStopped, isImpatient, noteStop, stay } from './steps.ts';

export function fromReaping(before: Reaping, event: MachineEvent): Step<State> {
  const state = { ...before, ...note(before, event) };
  switch (event.type) {
    case 'worker-ended':
      return stay({ ...state, end: state.end ?? event.end });
    case 'group-gone': {
      // An adopted worker's end may not be seen before its group is empty; then we ended it ourselves.
      const workerEnd: WorkerEnd = state.end ?? { code: null, signal: 'SIGKILL', source: 'exit' };
      return {
        state: { kind: 'classifying', ledger: state.ledger, launch: state.launch, end: workerEnd },
        effects: [{ type: 'gather-evidence', end: workerEnd }],
      };
    }
    case 'group-unkillable':
      return end(
        state.ledger,
        'unkillable',
        event.survivors.length === 0 ? 'it survives SIGKILL' : `${event.survivors.join('; ')}, and survives SIGKILL`,
      );
    case 'stop-signal':
      return stay({ ...state, ledger: noteStop(state.ledger, event) });
    default:
      return stay(state);
  }
}

export function fromClassifying(before: Classifying, event: MachineEvent, settings: MachineSettings): Step<State> {
  const state = { ...before, ...note(before, event) };
  switch (event.type) {
    case 'evidence-gathered':
      return conclude(state, event, settings);
    case 'stop-signal':
      return stay({ ...state, ledger: noteStop(state.ledger, event) });
    default:
      return stay(state);
  }
}

function conclude(state: Classifying, event: EventOf<'evidence-gathered'>, settings: MachineSettings): Step<State> {
  const { ledger, launch } = state;
  const classification = classify({
    end: state.end,
    evidence: event.evidence,
    spawnError: null,
    bootChanged: false,
    connected: launch.connected,
    ranMs: event.nowMs - launch.launchedAtMs,
    done: launch.done,
    everStepped: ledger.lastStep > 0,
    stopSignal: ledger.stopSignal,
    stopReason: ledger.stopReason,
    hungForMs: launch.hungForMs,
    overheated: launch.overheated ?? null,
    diverged: launch.diverged,
    stopFailure: launch.stopFailure,
    noRestartCodes: settings.noRestartCodes,
    adaptsBatch: launch.adaptsBatch ?? false,
  });
  const { attempt } = launch;
  const { evidence } = event;
  const record: Effect = {
    type: 'record-attempt-end',
    attempt,
    end: state.end,
    evidence,
    classification,
  };
  const { reason } = classification;
  const sequence = classification.class === 'interrupted' ? launch.confirmed : (launch.lastSaved?.sequence ?? null);
  if (sequence !== null && (classification.class === 'completed' || classification.class === 'interrupted')) {
    const outcome = classification.class === 'completed' ? 'completed' : 'stopped-saved';
    return {
      state: { kind: 'confirming', ledger, sequence, outcome, reason, classification },
      effects: [record, { type: 'confirm-checkpoint', sequence }],
    };
  }
  const decision = decideRestart(
    ledger.budget,
    {
      classification,
      progress: progressIn(ledger.budget, attempt),
      resumedFrom: launch.resumedFrom,
      adapts: launch.diverged?.adapts ?? false,
      adaptsBatch: launch.adaptsBatch ?? false,
    },
    settings,
    event.random,
  );
  const next = { ...ledger, budget: decision.budget };
  if (decision.kind === 'end') {
    const ended = end(next, decision.outcome, decision.reason);
    return { state: ended.state, effects: [record, ...ended.effects] };
  }
  if (ledger.stopSignal !== null) return stoppedInstead(next, launch, record, classification, ledger.budget.restarts);
  const again = { ...next, relaunches: true };
  const { delayMs, stepBackFrom, awaits } = decision;
  if (awaits !== undefined) {
    const { limitMs, need } = awaits;
    const untilMs = limitMs === null ? null : event.nowMs + limitMs;
    return {
      state: { kind: 'awaiting-card', ledger: again, need, untilMs, stepBackFrom },
      effects: [record, { type: 'await-card', need, reason: decision.reason }],
    };
  }
  const { withoutProgress, crashSaves = 0 } = decision.budget;
  const announced: Effect = { type: 'announce-restart', delayMs, reason: decision.reason, withoutProgress, crashSaves };
  if (delayMs > 0) {
    const untilMs = event.nowMs + delayMs;
    return { state: { kind: 'backing-off', ledger: again, untilMs, stepBackFrom }, effects: [record, announced] };
  }
  const preflight = toPreflight(again, stepBackFrom);
  return { state: preflight.state, effects: [record, announced, ...preflight.effects] };
}

/**
 * It would be launched again, but the operator had asked for a stop: it diverged meanwhile, say. What was learned of it is
 * kept for the next run; a restart that is not made is not counted.
 */
function stoppedInstead(
  ledger: Ledger,
  launch: Launch,
  record: Effect,
  classification: Classification,
  restarts: number,
): Step<State> {
  const kept = { ...ledger, budget: { ...ledger.budget, restarts } };
  const reason = `${classification.reason}, while it was being stopped`;
  const { confirmed: sequence } = launch;
  if (sequence === null) return { ...end(kept, 'stopped-unsaved', reason), effects: [record] };
  return {
    state: { kind: 'confirming', ledger: kept, sequence, outcome: 'stopped-saved', reason, classification },
    effects: [record, { type: 'confirm-checkpoint', sequence }],
  };
}

/** An outcome is only as good as the checkpoint behind it. */
export function fromConfirming(state: Confirming, event: MachineEvent): Step<State> {
  // The end is near and its outcome is known soon: only a signal is in a hurry.
  if (event.type === 'stop-signal' && isImpatient(event)) {
    const reason = `checkpoint ${state.sequence} was saved, but its verification was cut short by ${event.signal}`;
    return end(state.ledger, 'stopped-unsaved', reason, state.ledger.stopSignal ?? event.signal);
  }
  if (event.type !== 'confirmation') return stay(state);
  if (event.verified) return end(state.ledger, state.outcome, state.reason);
  const outcome = state.outcome === 'completed' ? 'no-checkpoint' : 'stopped-unsaved';
  return end(state.ledger, outcome, `checkpoint ${state.sequence} does not verify: ${event.reason}`);
}

export function fromAwaitingCard(state: AwaitingCard, event: MachineEvent): Step<State> {
  switch (event.type) {
    case 'card-ready':
      return toPreflight(state.ledger, state.stepBackFrom);
    case 'time-passed':
      return state.untilMs !== null && event.nowMs >= state.untilMs
        ? toPreflight(state.ledger, state.stepBackFrom)
        : stay(state);
    case 'stop-signal':
      return endStopped(state.ledger, event, 'while waiting for the card');
    default:
      return stay(state);
  }
}

export function fromBackingOff(state: BackingOff, event: MachineEvent): Step<State> {
  switch (event.type) {
    case 'time-passed':
      return event.nowMs >= state.untilMs ? toPreflight(state.ledger, state.stepBackFrom) : stay(state);
    case 'stop-signal':
      return endStopped(state.ledger, event, 'while waiting to restart');
    default:
      return stay(state);
  }
}
