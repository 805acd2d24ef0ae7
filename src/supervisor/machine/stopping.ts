/** The stop protocol after its first step: save, then SIGTERM, then SIGKILL (design section 3, "Stop protocol"). */
import type { Effect, Step } from './effect.ts';
import type { EventOf, MachineEvent } from './event.ts';
import { note } from './notes.ts';
import { graceMs, type MachineSettings } from './settings.ts';
import type { State, Stopping } from './state.ts';
import { announceStop, isImpatient, noteStop, reap, stay, stopReasonOf, terminate, terminateUnasked } from './steps.ts';

export function fromStopping(before: Stopping, event: MachineEvent, settings: MachineSettings): Step<State> {
  const state = { ...before, ...note(before, event, before.request) };
  switch (event.type) {
    case 'request-acknowledged':
      return stay(event.request === state.request ? { ...state, acknowledged: true } : state);
    case 'worker-connected':
      return connected(state, event.welcomed, event.nowMs, settings);
    case 'save-started':
      return stay(withTimeToSave(state, event.nowMs, settings));
    case 'save-failed':
      // The save that was to answer the stop is not coming: waiting out the grace would gain nothing.
      return state.request !== null && event.request === state.request
        ? harder(state, event.nowMs, settings)
        : stay(state);
    case 'worker-ended':
      return reap(state, event.end);
    case 'stop-signal':
      if (event.withinMs !== undefined) return hurried(state, event, event.withinMs);
      if (state.cause !== 'operator') return takenOver(state, event);
      return isImpatient(event) ? harder(state, event.nowMs, settings, event.signal) : stay(state);
    case 'woke-late':
      return stay({ ...state, deadlineMs: state.deadlineMs + event.gapMs });
    case 'time-passed':
      return event.nowMs >= state.deadlineMs ? harder(state, event.nowMs, settings) : stay(state);
    default:
      return stay(state);
  }
}

/**
 * A worker that reconnects in mid-stop may never have seen the request. One that was never welcomed has nothing to save, and
 * is welcomed no more: without a resume point it would train from zero.
 */
function connected(state: Stopping, welcomed: boolean, nowMs: number, settings: MachineSettings): Step<State> {
  if (!welcomed) return state.stage === 'saving' ? harder(state, nowMs, settings) : stay(state);
  return { state, effects: [{ type: 'welcome-worker' }, ...repeatRequest(state, nowMs)] };
}

/** What a hung worker begins to save as it ends is waited for, once; an operator's patience is the operator's. */
function withTimeToSave(state: Stopping, nowMs: number, settings: MachineSettings): Stopping {
  if (state.cause !== 'hang' || state.saveBegun) return state;
  const deadlineMs = Math.max(state.deadlineMs, nowMs + graceMs(settings, state.ledger.longestSaveMs));
  return { ...state, saveBegun: true, deadlineMs };
}

/** The operator asks while a worker is ended for a reason of ours: what is under way goes on as theirs, and no launch follows. */
function takenOver(state: Stopping, event: EventOf<'stop-signal'>): Step<Stopping> {
  const ledger = noteStop(state.ledger, event);
  return {
    state: { ...state, cause: 'operator', ledger },
    effects: [announceStop(ledger, event.signal, state.stage, state.deadlineMs, null)],
  };
}

/** Nobody asks for more, there is only less time: the save that is under way gets what is left of it. */
function hurried(state: Stopping, event: EventOf<'stop-signal'>, withinMs: number): Step<Stopping> {
  const deadlineMs = Math.min(state.deadlineMs, event.nowMs + withinMs);
  return takenOver({ ...state, deadlineMs }, event);
}

/** The next stage; the worker's end is then bounded by the reaping of its group. */
function harder(
  state: Stopping,
  nowMs: number,
  settings: MachineSettings,
  signal: NodeJS.Signals = state.ledger.stopSignal ?? 'SIGTERM',
): Step<State> {
  if (state.stage === 'saving') {
    return state.cause === 'operator'
      ? terminate(state, { signal, nowMs }, settings)
      : terminateUnasked(state, state.cause, nowMs, settings.stop.terminateMs);
  }
  const { state: reaping, effects } = reap(state, null);
  if (state.cause !== 'operator') return { state: reaping, effects };
  return { state: reaping, effects: [announceStop(state.ledger, signal, 'killing', nowMs, null), ...effects] };
}

function repeatRequest(state: Stopping, nowMs: number): readonly Effect[] {
  if (state.stage !== 'saving' || state.request === null) return [];
  const own = state.cause === 'hang' ? 'hang' : state.launch.overheated;
  const reason = state.cause === 'operator' ? stopReasonOf(state.ledger) : (own ?? state.cause);
  return [{ type: 'request-stop', request: state.request, reason, graceMs: Math.max(0, state.deadlineMs - nowMs) }];
}
