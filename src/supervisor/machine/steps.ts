/** The few moves that several states share. */
import type { Outcome, StopStage } from '../events.ts';
import type { WorkerEnd } from '../worker-end.ts';
import type { Effect, Step } from './effect.ts';
import type { EventOf } from './event.ts';
import type { MachineSettings } from './settings.ts';
import type { Ended, Launch, Ledger, Reaping, State, Stopping } from './state.ts';

export function stay<S extends State>(state: S): Step<S> {
  return { state, effects: [] };
}

export function end(
  ledger: Ledger,
  outcome: Outcome,
  reason: string,
  stopSignal: NodeJS.Signals | null = ledger.stopSignal,
): Step<Ended> {
  return { state: { kind: 'ended', ledger: { ...ledger, stopSignal }, outcome, reason }, effects: [] };
}

interface Launched {
  readonly ledger: Ledger;
  readonly launch: Launch;
}

/** Notes the operator's wish to stop; of several the first one counts. */
export function noteStop(
  ledger: Ledger,
  { signal, command }: Pick<EventOf<'stop-signal'>, 'signal' | 'command'>,
): Ledger {
  if (ledger.stopSignal !== null) return ledger;
  const { reason = null, by = 'operator' } = command ?? {};
  const words = by === 'operator' ? commandWords(reason) : reason;
  return { ...ledger, stopSignal: signal, stopReason: command === undefined ? null : words, stoppedBy: by };
}

/** What a save that answers a stop is given as its reason. */
export function stopReasonOf({ stopSignal, stopReason }: Ledger): string {
  return stopReason ?? stopSignal ?? 'stop';
}

/**
 * Whether one more means that the time is up. Two commands may well ask for the same stop, and neither knows of the other; a
 * terminal that is lost after Ctrl-C (a closed window, a broken line) says nothing of patience, and there is nobody left to lose it.
 */
export function isImpatient({ command, signal }: Pick<EventOf<'stop-signal'>, 'command' | 'signal'>): boolean {
  return command === undefined && signal !== 'SIGHUP';
}

/** A stop that came while nothing ran: there was nothing to save. @param when "before the launch" */
export function endStopped(
  ledger: Ledger,
  event: Pick<EventOf<'stop-signal'>, 'signal' | 'command'>,
  when: string,
): Step<Ended> {
  const noted = noteStop(ledger, event);
  const { stopReason, stopSignal } = noted;
  const by = stopReason === null ? `on ${stopSignal}` : `by ${stopReason}`;
  return end(noted, 'stopped-unsaved', `stopped ${by} ${when}`);
}

function commandWords(reason: string | null): string {
  return reason === null ? 'nkat-recover stop' : `nkat-recover stop: ${reason}`;
}

/** Empties the worker's group; `workerEnd` null: it has not ended by itself. */
export function reap({ ledger, launch }: Launched, workerEnd: WorkerEnd | null): Step<Reaping> {
  return { state: { kind: 'reaping', ledger, launch, end: workerEnd }, effects: [{ type: 'reap-group' }] };
}

/**
 * Second stage of a stop: SIGTERM, with SIGCONT since a stopped process sees nothing else. Also the first stage where
 * no SDK is there to be asked.
 */
export function terminate(
  { ledger, launch }: Launched,
  event: Omit<EventOf<'stop-signal'>, 'type'>,
  settings: MachineSettings,
): Step<Stopping> {
  const { signal, nowMs } = event;
  const deadlineMs = nowMs + settings.stop.terminateMs;
  const noted = noteStop(ledger, event);
  return {
    state: {
      kind: 'stopping',
      ledger: noted,
      launch,
      stage: 'terminating',
      cause: 'operator',
      deadlineMs,
      request: null,
      acknowledged: false,
      saveBegun: false,
    },
    effects: [announceStop(noted, signal, 'terminating', deadlineMs, null), ...SIGTERM],
  };
}

export function announceStop(
  { stopReason: reason, stoppedBy }: Ledger,
  signal: NodeJS.Signals,
  stage: StopStage,
  deadlineMs: number,
  lastStepAgeMs: number | null,
): Effect {
  const by = stoppedBy === undefined || stoppedBy === 'operator' ? {} : { by: stoppedBy };
  return { type: 'announce-stop', signal, reason, ...by, stage, deadlineMs, lastStepAgeMs };
}

/**
 * The worker is silent beyond its limit: ended like a stop, but nobody asked, so it is launched again. One that was
 * merely stopped wakes up and saves at its next step; a loop that is stuck does not, and gets little time.
 */
export function endHung(
  { ledger, launch, online }: Launched & { readonly online: boolean },
  silentMs: number,
  nowMs: number,
  terminateMs: number,
): Step<Stopping> {
  const hung = { ledger, launch: { ...launch, hungForMs: silentMs } };
  if (!online) return terminateUnasked(hung, 'hang', nowMs, terminateMs);
  return askUnasked(hung, { cause: 'hang', reason: 'hang', graceMs: terminateMs, nowMs });
}

/** The card is too hot whatever is done: an emergency save with all the time that it needs, then a launch when it is cool. */
export function endOverheated(
  { ledger, launch, online }: Launched & { readonly online: boolean },
  { reason, nowMs }: EventOf<'card-overheated'>,
  graceMs: number,
  terminateMs: number,
): Step<Stopping> {
  const hot = { ledger, launch: { ...launch, overheated: reason } };
  if (!online) return terminateUnasked(hot, 'heat', nowMs, terminateMs);
  return askUnasked(hot, { cause: 'heat', reason, graceMs, nowMs });
}

type OwnCause = Exclude<Stopping['cause'], 'operator'>;

function askUnasked(
  { ledger, launch }: Launched,
  {
    cause,
    reason,
    graceMs,
    nowMs,
  }: { readonly cause: OwnCause; readonly reason: string; readonly graceMs: number; readonly nowMs: number },
): Step<Stopping> {
  const request = `${cause}-${launch.attempt}`;
  return {
    state: {
      kind: 'stopping',
      ledger,
      launch,
      stage: 'saving',
      cause,
      deadlineMs: nowMs + graceMs,
      request,
      acknowledged: false,
      saveBegun: false,
    },
    effects: [
      { type: 'signal-group', signal: 'SIGCONT' },
      { type: 'request-stop', request, reason, graceMs },
    ],
  };
}

/** SIGTERM to a worker that nobody else stops: a loop that waits for something that never comes still saves what it can as it ends. */
export function terminateUnasked(
  { ledger, launch }: Launched,
  cause: OwnCause,
  nowMs: number,
  terminateMs: number,
): Step<Stopping> {
  return {
    state: {
      kind: 'stopping',
      ledger,
      launch,
      stage: 'terminating',
      cause,
      deadlineMs: nowMs + terminateMs,
      request: null,
      acknowledged: false,
      saveBegun: false,
    },
    effects: [...SIGTERM],
  };
}

const SIGTERM: readonly Effect[] = [
  { type: 'signal-group', signal: 'SIGTERM' },
  { type: 'signal-group', signal: 'SIGCONT' },
];
