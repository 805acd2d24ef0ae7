/** The launch: a checkpoint is chosen, the worker is started and connects. */
import type { Step } from './effect.ts';
import type { EventOf, MachineEvent } from './event.ts';
import { firstBeat } from './hang.ts';
import { note } from './notes.ts';
import { countRelaunch, creditChoice, creditStepBack } from './restart-policy.ts';
import type { MachineSettings } from './settings.ts';
import { isShortage, LAUNCH_RETRY_MS } from './shortage.ts';
import { type Ledger, newLaunch, type Preflight, type Starting, type State } from './state.ts';
import { end, endOverheated, endStopped, reap, stay, terminate } from './steps.ts';

export function fromPreflight(state: Preflight, event: MachineEvent): Step<State> {
  switch (event.type) {
    case 'checkpoint-chosen': {
      const attempt = state.ledger.attempt + 1;
      const { ledger } = state;
      const counted = ledger.relaunches === true ? countRelaunch(ledger.budget) : ledger.budget;
      const credited = event.verified === null ? counted : creditChoice(counted, event.verified, ledger.attempt);
      const budget = event.steppedBack ? creditStepBack(credited) : credited;
      return {
        state: {
          kind: 'starting',
          ledger: { ...ledger, attempt, budget, relaunches: false },
          launch: newLaunch(attempt, event.sequence, event.nowMs),
        },
        effects: [{ type: 'launch-worker', attempt, resumedFrom: event.sequence }],
      };
    }
    case 'no-checkpoint':
      return end(state.ledger, event.missing ? 'store-missing' : 'no-checkpoint', event.reason);
    case 'stop-signal':
      return endStopped(state.ledger, event, 'before the launch');
    default:
      return stay(state);
  }
}

export function fromStarting(state: Starting, event: MachineEvent, settings: MachineSettings): Step<State> {
  const noted = note(state, event);
  switch (event.type) {
    case 'spawn-failed': {
      if (isShortage(event.errno)) return launchLater(state, event);
      const launchEnd = { code: null, signal: null, source: 'vanished' } as const;
      const evidence = { stderrTail: [], oomRecord: null };
      const classification = { class: 'config', reason: event.reason } as const;
      const ended = end(state.ledger, 'config-error', event.reason);
      const { attempt } = state.launch;
      return {
        state: ended.state,
        effects: [{ type: 'record-attempt-end', attempt, end: launchEnd, evidence, classification }, ...ended.effects],
      };
    }
    case 'worker-connected':
      return {
        state: { kind: 'running', ...noted, beat: firstBeat(event.phase, event.step, event.nowMs), online: true },
        effects: [{ type: 'welcome-worker' }],
      };
    case 'worker-ended':
      return reap(state, event.end);
    case 'card-overheated':
      return endOverheated({ ...state, online: false }, event, 0, settings.stop.terminateMs);
    case 'stop-signal':
      return terminate(state, event, settings);
    default:
      return stay({ ...state, ...noted });
  }
}

/** Nothing ran, so nothing is counted, and the next try has the same number. */
function launchLater({ ledger, launch }: Starting, { reason, nowMs }: EventOf<'spawn-failed'>): Step<State> {
  return {
    state: {
      kind: 'backing-off',
      ledger: { ...ledger, attempt: ledger.attempt - 1 },
      untilMs: nowMs + LAUNCH_RETRY_MS,
      stepBackFrom: null,
    },
    effects: [{ type: 'announce-launch-wait', attempt: launch.attempt, reason }],
  };
}

export function toPreflight(ledger: Ledger, stepBackFrom: number | null): Step<Preflight> {
  return { state: { kind: 'preflight', ledger, stepBackFrom }, effects: [{ type: 'choose-checkpoint', stepBackFrom }] };
}
