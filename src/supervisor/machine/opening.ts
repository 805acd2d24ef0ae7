/** From the claim to the launch: find what an earlier supervisor left, choose the checkpoint, launch. */
import { askToStop } from './alive.ts';
import { type Classification, classify } from './classify.ts';
import type { Step } from './effect.ts';
import type { EventOf, MachineEvent, UnseenEnd, VerifiedSteps } from './event.ts';
import { firstBeat } from './hang.ts';
import { note } from './notes.ts';
import {
  countRelaunch,
  creditChoice,
  creditProgress,
  creditStepBack,
  decideRestart,
  progressIn,
  stepBackPoint,
} from './restart-policy.ts';
import { ADOPT_WAIT_MS, type MachineSettings } from './settings.ts';
import { isShortage, LAUNCH_RETRY_MS } from './shortage.ts';
import {
  type Adopting,
  type Ledger,
  newLaunch,
  type Opening,
  type Preflight,
  type Running,
  type Starting,
  type State,
} from './state.ts';
import { announceStop, end, endOverheated, endStopped, isImpatient, noteStop, reap, stay, terminate } from './steps.ts';

export function fromOpening(state: Opening, event: MachineEvent, settings: MachineSettings): Step<State> {
  switch (event.type) {
    case 'orphan-found': {
      const adopting: Adopting = {
        kind: 'adopting',
        ledger: withFound({ ...state.ledger, attempt: event.attempt }, event.verified),
        // It has got past its start long ago, so no failure of it is one of the configuration.
        launch: newLaunch(event.attempt, event.resumedFrom, Number.NEGATIVE_INFINITY),
        deadlineMs: event.spoke ? event.nowMs + ADOPT_WAIT_MS : null,
        spoke: event.spoke,
        unwelcomed: null,
      };
      const { stopSignal: signal } = state.ledger;
      return signal === null || event.spoke ? stay(adopting) : terminate(adopting, { ...event, signal }, settings);
    }
    case 'no-orphan':
      return event.unseenEnd === null
        ? launchUnlessStopped(state.ledger, null, event)
        : afterUnseenEnd(state, event.unseenEnd, event, settings);
    case 'stop-signal': {
      // Whether a worker trains on that is to be stopped is being found out; only a second signal does not wait for it.
      const again = state.ledger.stopSignal !== null && isImpatient(event);
      return again
        ? endStopped(state.ledger, event, 'before anything was launched')
        : stay({ ...state, ledger: noteStop(state.ledger, event) });
    }
    default:
      return stay(state);
  }
}

/** What the newest attempt verified counts, also where a supervisor that died had not heard of it, or not written it down. */
function withFound(ledger: Ledger, found: VerifiedSteps | undefined): Ledger {
  if (found === undefined) return ledger;
  const regular = creditProgress(ledger.budget, found.regularStep, 'regular', ledger.attempt);
  return { ...ledger, budget: creditProgress(regular, found.verifiedStep, 'by-crash', ledger.attempt) };
}

function launchUnlessStopped(
  ledger: Ledger,
  stepBackFrom: number | null,
  { settle, nowMs }: EventOf<'no-orphan'>,
): Step<State> {
  const { stopSignal: signal } = ledger;
  if (signal !== null) return endStopped(ledger, { signal }, 'before anything was launched');
  if (settle === undefined) return toPreflight(ledger, stepBackFrom);
  const { waitMs: delayMs, reason } = settle;
  return {
    state: { kind: 'backing-off', ledger, untilMs: nowMs + delayMs, stepBackFrom },
    effects: [{ type: 'announce-restart', delayMs, reason, withoutProgress: 0, crashSaves: 0 }],
  };
}

/** An attempt that nobody saw the end of counts like any other, but the operator's start always gets one launch. */
function afterUnseenEnd(
  state: Opening,
  unseen: UnseenEnd,
  event: EventOf<'no-orphan'>,
  settings: MachineSettings,
): Step<State> {
  const ledger = withFound(state.ledger, unseen);
  const { attempt, budget: credited } = ledger;
  // What an earlier supervisor of this attempt had verified is in it too.
  const progress = progressIn(credited, attempt);
  const evidence = { stderrTail: [], oomRecord: unseen.oomRecord ?? null };
  const concluded = classify({
    end: unseen.end,
    evidence,
    spawnError: null,
    bootChanged: unseen.bootChanged,
    connected: true,
    ranMs: 0,
    done: unseen.final !== null,
    everStepped: true,
    stopSignal: null,
    hungForMs: null,
    diverged: null,
    stopFailure: null,
    noRestartCodes: settings.noRestartCodes,
  });
  // It ended itself as it was told to: nothing against the run, whatever its code.
  const endedItself = unseen.note !== null && concluded.class !== 'completed' && concluded.class !== 'fatal';
  const classification: Classification = endedItself
    ? { class: 'requested', reason: `it ended itself: ${unseen.note}` }
    : concluded;
  const record = {
    type: 'record-attempt-end',
    attempt: ledger.attempt,
    end: unseen.end,
    evidence,
    classification,
    endedAt: unseen.lastSeenAt,
  } as const;
  if (classification.class === 'completed') {
    const { reason } = classification;
    if (unseen.final === null)
      return { state: { kind: 'ended', ledger, outcome: 'completed', reason }, effects: [record] };
    return {
      state: { kind: 'confirming', ledger, sequence: unseen.final, outcome: 'completed', reason, classification },
      effects: [record, { type: 'confirm-checkpoint', sequence: unseen.final }],
    };
  }
  if (unseen.counted === true) {
    const next = launchUnlessStopped(ledger, stepBackPoint(credited, unseen.resumedFrom), event);
    return { state: next.state, effects: [record, ...next.effects] };
  }
  const ended = { classification, progress, resumedFrom: unseen.resumedFrom, adapts: false };
  const decision = decideRestart(ledger.budget, ended, settings, 0.5);
  const next = launchUnlessStopped(
    { ...ledger, budget: decision.budget },
    decision.kind === 'restart' ? decision.stepBackFrom : null,
    event,
  );
  return { state: next.state, effects: [record, ...next.effects] };
}

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
