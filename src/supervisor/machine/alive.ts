/** A connected worker trains: beats, saves, and the first stop signal. */
import type { Step } from './effect.ts';
import type { EventOf, MachineEvent } from './event.ts';
import { type Beat, beatOfPhase, beatOfProgress, silenceLimitMs } from './hang.ts';
import { note } from './notes.ts';
import { graceMs, type MachineSettings } from './settings.ts';
import type { Running, Saving, State } from './state.ts';
import { announceStop, endHung, endOverheated, noteStop, reap, stay, stopReasonOf, terminate } from './steps.ts';

export function fromAlive(before: Running | Saving, event: MachineEvent, settings: MachineSettings): Step<State> {
  const state = { ...before, ...note(before, event), beat: nextBeat(before.beat, event) };
  switch (event.type) {
    case 'worker-connected':
      return { state: { ...state, online: true }, effects: [{ type: 'welcome-worker' }] };
    case 'channel-closed':
      return stay({ ...state, online: false });
    case 'save-started':
      return stay(state.kind === 'saving' ? state : { ...state, kind: 'saving', savingSinceMs: event.nowMs });
    case 'save-durable':
    case 'save-failed':
      return stay(toRunning(state));
    case 'worker-ended':
      return reap(state, event.end);
    case 'stop-signal':
      return askToStop(state, event, settings);
    case 'card-overheated':
      return endOverheated(state, event, graceMs(settings, state.ledger.longestSaveMs), settings.stop.terminateMs);
    case 'time-passed':
      return checkSilence(state, event.nowMs, settings);
    default:
      return stay(state);
  }
}

function nextBeat(beat: Beat, event: MachineEvent): Beat {
  switch (event.type) {
    case 'progressed':
      // It waits on purpose, and shows that it is alive: a silence that is none.
      if (event.waiting === true)
        return { ...beat, phase: event.phase, atMs: Math.max(beat.atMs, event.nowMs - event.lastStepAgeMs) };
      return beatOfProgress(beat, event.phase, event.step, event.lastStepAgeMs, event.nowMs);
    case 'card-load':
      return { ...beat, load: event.load };
    case 'phase-changed':
      return beatOfPhase(beat, event.phase, event.nowMs);
    case 'worker-connected':
      return { ...beat, atMs: Math.max(beat.atMs, event.nowMs) };
    case 'woke-late':
      // A beat that came in before is newer than our sleep: never one of the future.
      return { ...beat, atMs: Math.min(event.nowMs, beat.atMs + event.gapMs) };
    default:
      return beat;
  }
}

function toRunning(state: Running | Saving): Running {
  const { ledger, launch, beat, online } = state;
  return { kind: 'running', ledger, launch, beat, online };
}

/** First signal: an emergency save, with a deadline; without a channel there is nobody to ask. */
export function askToStop(
  state: Running | Saving,
  event: Omit<EventOf<'stop-signal'>, 'type'>,
  settings: MachineSettings,
): Step<State> {
  if (!state.online) return terminate(state, event, settings);
  const { signal, nowMs } = event;
  const ledger = noteStop(state.ledger, event);
  const request = `stop-${state.launch.attempt}`;
  const grace = Math.min(graceMs(settings, state.ledger.longestSaveMs), event.withinMs ?? Number.POSITIVE_INFINITY);
  const lastStepAgeMs = Math.max(0, nowMs - state.beat.atMs);
  return {
    state: {
      kind: 'stopping',
      ledger,
      launch: state.launch,
      stage: 'saving',
      cause: 'operator',
      deadlineMs: nowMs + grace,
      request,
      acknowledged: false,
      saveBegun: false,
    },
    effects: [
      announceStop(ledger, signal, 'saving', nowMs + grace, lastStepAgeMs),
      // A stopped worker (SIGSTOP, a debugger's terminal) would hear of it only after the grace.
      { type: 'signal-group', signal: 'SIGCONT' },
      { type: 'request-stop', request, reason: stopReasonOf(ledger), graceMs: grace },
    ],
  };
}

function checkSilence(state: Running | Saving, nowMs: number, settings: MachineSettings): Step<State> {
  const limitMs = silenceLimitMs(state.beat, settings.hang);
  const silentMs = nowMs - state.beat.atMs;
  if (silentMs < limitMs) return stay(state);
  const step = endHung(state, silentMs, nowMs, settings.stop.terminateMs);
  return {
    state: step.state,
    effects: [{ type: 'announce-hang', phase: state.beat.phase, silentMs, limitMs }, ...step.effects],
  };
}
