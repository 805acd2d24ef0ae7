/** The stop protocol after its first step: save, then SIGTERM, then SIGKILL (design section 3, "Stop protocol"). */
import type { Effect, Step } from './effect.ts';
import type { MachineEvent } from './event.ts';
import { note } from './notes.ts';
import type { MachineSettings } from './settings.ts';
import type { State, Stopping } from './state.ts';
import { announceStop, noteStop, reap, stay, stopReasonOf, terminate } from './steps.ts';

export function fromStopping(before: Stopping, event: MachineEvent, settings: MachineSettings): Step<State> {
  const state = { ...before, ...note(before, event, before.request) };
  switch (event.type) {
    case 'request-acknowledged':
      return stay(event.request === state.request ? { ...state, acknowledged: true } : state);
    case 'worker-connected':
      return { state, effects: [{ type: 'welcome-worker' }, ...repeatRequest(state, event.nowMs)] };
    case 'save-failed':
      // The save that was to answer the stop is not coming: waiting out the grace would gain nothing.
      return state.request !== null && event.request === state.request
        ? harder(state, event.nowMs, settings)
        : stay(state);
    case 'worker-ended':
      return reap(state, event.end);
    case 'stop-signal':
      if (state.cause === 'hang') return stay({ ...state, ledger: noteStop(state.ledger, event) });
      // Two commands may well ask for the same stop, and neither knows of the other.
      return event.command === undefined ? harder(state, event.nowMs, settings, event.signal) : stay(state);
    case 'woke-late':
      return stay({ ...state, deadlineMs: state.deadlineMs + event.gapMs });
    case 'time-passed':
      return event.nowMs >= state.deadlineMs ? harder(state, event.nowMs, settings) : stay(state);
    default:
      return stay(state);
  }
}

/** The next stage; the worker's end is then bounded by the reaping of its group. */
function harder(
  state: Stopping,
  nowMs: number,
  settings: MachineSettings,
  signal: NodeJS.Signals = state.ledger.stopSignal ?? 'SIGTERM',
): Step<State> {
  if (state.stage === 'saving') return terminate(state, { signal, nowMs }, settings);
  const { state: reaping, effects } = reap(state, null);
  if (state.cause === 'hang') return { state: reaping, effects };
  return { state: reaping, effects: [announceStop(state.ledger, signal, 'killing', nowMs, null), ...effects] };
}

/** A worker that reconnects in mid-stop may never have seen the request. */
function repeatRequest(state: Stopping, nowMs: number): readonly Effect[] {
  if (state.stage !== 'saving' || state.request === null) return [];
  const reason = stopReasonOf(state.ledger);
  return [{ type: 'request-stop', request: state.request, reason, graceMs: Math.max(0, state.deadlineMs - nowMs) }];
}
