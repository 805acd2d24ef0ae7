/** A worker that outlived its supervisor: it is waited for, and goes on under this one. */
import { askToStop } from './alive.ts';
import type { Step } from './effect.ts';
import type { EventOf, MachineEvent } from './event.ts';
import { firstBeat } from './hang.ts';
import { note } from './notes.ts';
import type { MachineSettings } from './settings.ts';
import type { Adopting, Running, State } from './state.ts';
import { announceStop, isImpatient, noteStop, reap, stay, terminate } from './steps.ts';

export function fromAdopting(state: Adopting, event: MachineEvent, settings: MachineSettings): Step<State> {
  const noted = note(state, event);
  switch (event.type) {
    case 'worker-connected': {
      if (!event.welcomed) return greet(state, event, settings);
      const lastSaved = event.lastSaved === null ? null : { sequence: event.lastSaved, verified: false };
      const running: Running = {
        kind: 'running',
        ledger: noted.ledger,
        launch: { ...noted.launch, lastSaved },
        beat: firstBeat(event.phase, event.step, event.nowMs),
        online: true,
      };
      const { stopSignal: signal } = running.ledger;
      const step = signal === null ? stay(running) : askToStop(running, { signal, nowMs: event.nowMs }, settings);
      return { state: step.state, effects: [{ type: 'welcome-worker' }, ...step.effects] };
    }
    case 'checkpoint-chosen':
      return state.unwelcomed === null ? stay(state) : welcomeFirst(state, state.unwelcomed, event);
    case 'no-checkpoint':
      // It must not train from zero; the choice after its end says why there is nothing to go on from.
      return reap(state, null);
    case 'worker-ended':
      return reap(state, event.end);
    case 'stop-signal':
      return stopAdopted(state, event, settings);
    case 'woke-late':
      return stay({ ...state, deadlineMs: state.deadlineMs === null ? null : state.deadlineMs + event.gapMs });
    case 'time-passed':
      return state.deadlineMs !== null && event.nowMs >= state.deadlineMs ? reap(state, null) : stay(state);
    default:
      return stay({ ...state, ...noted });
  }
}

/**
 * It trains and is about to connect, so the stop waits for that and its save; a second signal does not. One that never
 * spoke can be asked for nothing.
 */
function stopAdopted(state: Adopting, event: EventOf<'stop-signal'>, settings: MachineSettings): Step<State> {
  const again = state.ledger.stopSignal !== null;
  if (!state.spoke || state.unwelcomed !== null || (again && isImpatient(event))) {
    return terminate(state, event, settings);
  }
  if (again || state.deadlineMs === null) return stay(state);
  const ledger = noteStop(state.ledger, event);
  return {
    state: { ...state, ledger },
    effects: [announceStop(ledger, event.signal, 'reaching', state.deadlineMs, null)],
  };
}

/**
 * Its supervisor died before it was welcomed, so it knows of no resume point: a welcome without one would start it from
 * zero. The choice is made once, whatever reconnects meanwhile.
 */
function greet(state: Adopting, event: EventOf<'worker-connected'>, settings: MachineSettings): Step<State> {
  const { phase, step, nowMs } = event;
  const { stopSignal: signal } = state.ledger;
  // It has trained nothing yet, so there is nothing to save.
  if (signal !== null) return terminate({ ...state, ...note(state, event) }, { signal, nowMs }, settings);
  const greeted: Adopting = { ...state, ...note(state, event), deadlineMs: null, unwelcomed: { phase, step } };
  if (state.unwelcomed !== null) return stay(greeted);
  return { state: greeted, effects: [{ type: 'choose-checkpoint', stepBackFrom: null }] };
}

function welcomeFirst(
  { ledger, launch }: Adopting,
  { phase, step }: Adopting['unwelcomed'] & {},
  { sequence, nowMs }: EventOf<'checkpoint-chosen'>,
): Step<State> {
  return {
    state: {
      kind: 'running',
      ledger,
      launch: { ...launch, resumedFrom: sequence },
      beat: firstBeat(phase, step, nowMs),
      online: true,
    },
    effects: [{ type: 'welcome-worker' }],
  };
}
