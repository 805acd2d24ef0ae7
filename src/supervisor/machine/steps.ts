/** The few moves that several states share. */
import type { Outcome } from '../events.ts';
import type { WorkerEnd } from '../worker-end.ts';
import type { Effect, Step } from './effect.ts';
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
  event: { readonly signal: NodeJS.Signals; readonly nowMs: number },
  settings: MachineSettings,
): Step<Stopping> {
  const { signal, nowMs } = event;
  const deadlineMs = nowMs + settings.stop.terminateMs;
  return {
    state: {
      kind: 'stopping',
      ledger: { ...ledger, stopSignal: ledger.stopSignal ?? signal },
      launch,
      stage: 'terminating',
      cause: 'operator',
      deadlineMs,
      request: null,
      acknowledged: false,
    },
    effects: [{ type: 'announce-stop', signal, stage: 'terminating', deadlineMs, lastStepAgeMs: null }, ...SIGTERM],
  };
}

/** The worker is silent beyond its limit: ended like a stop, but nobody asked, so it is launched again. */
export function endHung(
  { ledger, launch }: Launched,
  silentMs: number,
  nowMs: number,
  terminateMs: number,
): Step<Stopping> {
  return {
    state: {
      kind: 'stopping',
      ledger,
      launch: { ...launch, hungForMs: silentMs },
      stage: 'terminating',
      cause: 'hang',
      deadlineMs: nowMs + terminateMs,
      request: null,
      acknowledged: false,
    },
    effects: [...SIGTERM],
  };
}

const SIGTERM: readonly Effect[] = [
  { type: 'signal-group', signal: 'SIGTERM' },
  { type: 'signal-group', signal: 'SIGCONT' },
];
