/** After the claim: find what an earlier supervisor left, and count what nobody saw the end of. */
import { type Classification, classify } from './classify.ts';
import type { Step } from './effect.ts';
import type { EventOf, MachineEvent, UnseenEnd, VerifiedSteps } from './event.ts';
import { toPreflight } from './launching.ts';
import { creditProgress, decideRestart, progressIn, stepBackPoint } from './restart-policy.ts';
import { ADOPT_WAIT_MS, type MachineSettings } from './settings.ts';
import { type Adopting, type Ledger, newLaunch, type Opening, type State } from './state.ts';
import { endStopped, isImpatient, noteStop, stay, terminate } from './steps.ts';

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
