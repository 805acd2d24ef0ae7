/**
 * `transition(state, event)`: pure and total. An event that means nothing in a state leaves it as it is, without
 * effects, so that a late or repeated message can do no harm.
 */
import type { StoppedBy } from '../../words.ts';
import { fromAdopting } from './adopting.ts';
import { fromAlive } from './alive.ts';
import type { Step } from './effect.ts';
import { fromAwaitingCard, fromBackingOff, fromClassifying, fromConfirming, fromReaping } from './ending.ts';
import type { MachineEvent } from './event.ts';
import { silenceLimitMs } from './hang.ts';
import { fromPreflight, fromStarting } from './launching.ts';
import { fromOpening } from './opening.ts';
import type { MachineSettings } from './settings.ts';
import type { State } from './state.ts';
import { stay } from './steps.ts';
import { fromStopping } from './stopping.ts';

export function transition(state: State, event: MachineEvent, settings: MachineSettings): Step<State> {
  if (event.type === 'stopped-by') return stay(withStopper(state, event.by));
  switch (state.kind) {
    case 'opening':
      return fromOpening(state, event, settings);
    case 'adopting':
      return fromAdopting(state, event, settings);
    case 'preflight':
      return fromPreflight(state, event);
    case 'starting':
      return fromStarting(state, event, settings);
    case 'running':
    case 'saving':
      return fromAlive(state, event, settings);
    case 'stopping':
      return fromStopping(state, event, settings);
    case 'reaping':
      return fromReaping(state, event);
    case 'classifying':
      return fromClassifying(state, event, settings);
    case 'confirming':
      return fromConfirming(state, event);
    case 'backing-off':
      return fromBackingOff(state, event);
    case 'awaiting-card':
      return fromAwaitingCard(state, event);
    case 'ended':
      return stay(state);
    default:
      return unreachable(state);
  }
}

/** A command that asked for the stop has said itself who it was. */
function withStopper(state: State, stoppedBy: StoppedBy): State {
  const { ledger } = state;
  if (state.kind === 'ended' || ledger.stopSignal === null || ledger.stopReason !== null) return state;
  return { ...state, ledger: { ...ledger, stoppedBy } };
}

/** When a `time-passed` event is due, in supervisor time; null: nothing waits on the clock. */
export function nextDeadlineMs(state: State, settings: MachineSettings): number | null {
  switch (state.kind) {
    case 'adopting':
    case 'stopping':
      return state.deadlineMs;
    case 'backing-off':
    case 'awaiting-card':
      return state.untilMs;
    case 'running':
    case 'saving':
      return state.beat.atMs + silenceLimitMs(state.beat, settings.hang);
    case 'opening':
    case 'preflight':
    case 'starting':
    case 'reaping':
    case 'classifying':
    case 'confirming':
    case 'ended':
      return null;
    default:
      return unreachable(state);
  }
}

function unreachable(value: never): never {
  throw new TypeError(`no such state: ${JSON.stringify(value)}`);
}
