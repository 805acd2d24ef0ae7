/** What the watch does next: pure, every state and every event. */
import { chooseColumns } from './fields.ts';
import { type SmiTrouble, stuckTrouble, troubleOf } from './smi-trouble.ts';
import type { WatchEffect, WatchEvent, WatchMemory, WatchState } from './watch-state.ts';

/** So many periods without a row, and nvidia-smi is stuck. */
const STALE_PERIODS = 5;
/** Without persistence mode the driver wakes the cards first; eight of them take about 20 s. */
const FIRST_ROW_MS = 30_000;
/** First rest after a failure; doubled each time. */
const REST_MS = 1_000;
const LONGEST_REST_MS = 60_000;
/** A child that gave rows for so long was a good one: the next failure counts as the first. */
const STEADY_MS = 30_000;
/** So many that cannot be killed are enough: each one more would hang in the same place. */
const MAX_UNENDED = 2;

export interface Decision {
  readonly state: WatchState;
  readonly effects: readonly WatchEffect[];
}

/** @param nowMs of a clock that runs on whatever the wall clock does */
export function decideWatch(state: WatchState, event: WatchEvent, nowMs: number, periodMs: number): Decision {
  if (event.type === 'closed') return close(state);
  switch (event.type) {
    case 'opened':
      return state.kind === 'closed'
        ? to({ kind: 'asking', memory: state.memory }, { type: 'ask-fields' })
        : stay(state);
    case 'fields-told':
      return state.kind === 'asking' ? start({ ...state.memory, known: event.known }, nowMs) : stay(state);
    case 'question-failed':
      return state.kind === 'asking' ? fail(state.memory, event.trouble, nowMs) : stay(state);
    case 'row':
      return isOf(state, event.child) ? row(state, nowMs) : stay(state);
    case 'field-refused':
      return isOf(state, event.child) ? refuse(state, event.name, nowMs) : stay(state);
    case 'child-ended':
      return isOf(state, event.child) ? fail(state.memory, event.trouble, nowMs) : forget(state, nowMs);
    case 'tick':
      return tick(state, event.late, nowMs, periodMs);
  }
}

/** When `tick` is due; null: nothing is waited for. */
export function nextDeadlineMs(state: WatchState, periodMs: number): number | null {
  if (state.kind === 'starting') return state.sinceMs + FIRST_ROW_MS;
  if (state.kind === 'watching') return state.lastRowMs + STALE_PERIODS * periodMs;
  return state.kind === 'resting' ? state.untilMs : null;
}

type Alive = Extract<WatchState, { kind: 'starting' | 'watching' }>;

function isOf(state: WatchState, child: number): state is Alive {
  return (state.kind === 'starting' || state.kind === 'watching') && state.memory.child === child;
}

function row(state: Alive, nowMs: number): Decision {
  const firstRowMs = state.kind === 'watching' ? state.firstRowMs : nowMs;
  const failures = nowMs - firstRowMs >= STEADY_MS ? 0 : state.memory.failures;
  const memory: WatchMemory = { ...state.memory, failures, told: null };
  const next: WatchState = { kind: 'watching', memory, firstRowMs, lastRowMs: nowMs };
  return state.memory.told === null ? to(next) : to(next, { type: 'tell-working' });
}

/** It will end by itself; another is asked for what is left. One that refuses what it was not asked is out of its mind. */
function refuse(state: Alive, name: string, nowMs: number): Decision {
  const { child, unended, refused } = state.memory;
  const left: WatchMemory = { ...state.memory, unended: unended + 1 };
  const next = refused.includes(name)
    ? fail(left, troubleOf(null, `it refuses the field ${name}, which it was not asked`), nowMs)
    : start({ ...left, refused: [...refused, name] }, nowMs);
  return { state: next.state, effects: [{ type: 'leave-child', child }, ...next.effects] };
}

/** One that was left has ended at last. */
function forget(state: WatchState, nowMs: number): Decision {
  const memory = { ...state.memory, unended: Math.max(0, state.memory.unended - 1) };
  if (state.kind === 'resting' && state.untilMs === null) return to({ kind: 'resting', memory, untilMs: nowMs });
  return stay({ ...state, memory });
}

function tick(state: WatchState, late: boolean, nowMs: number, periodMs: number): Decision {
  const dueMs = nextDeadlineMs(state, periodMs);
  if (dueMs === null || nowMs < dueMs) return stay(state);
  if (state.kind === 'resting') return start(state.memory, nowMs);
  if (state.kind !== 'starting' && state.kind !== 'watching') return stay(state);
  // After a sleep of our own the rows of that time still wait to be read.
  if (late) return to(state.kind === 'watching' ? { ...state, lastRowMs: nowMs } : { ...state, sinceMs: nowMs });
  const { child, unended } = state.memory;
  const memory = { ...state.memory, unended: unended + 1 };
  const sinceMs = state.kind === 'watching' ? state.lastRowMs : state.sinceMs;
  const failed = fail(memory, stuckTrouble(nowMs - sinceMs), nowMs);
  return { state: failed.state, effects: [{ type: 'leave-child', child }, ...failed.effects] };
}

function start(memory: WatchMemory, nowMs: number): Decision {
  if (memory.unended >= MAX_UNENDED) return to({ kind: 'resting', memory, untilMs: null });
  const child = memory.child + 1;
  const columns = chooseColumns(memory.known === null ? null : new Set(memory.known), new Set(memory.refused));
  const next: WatchState = { kind: 'starting', memory: { ...memory, child }, sinceMs: nowMs };
  return to(next, { type: 'start-child', child, columns });
}

function fail(memory: WatchMemory, trouble: SmiTrouble, nowMs: number): Decision {
  const effects: WatchEffect[] = memory.told === trouble.kind ? [] : [{ type: 'tell-trouble', trouble }];
  const told: WatchMemory = { ...memory, failures: memory.failures + 1, told: trouble.kind };
  if (trouble.kind === 'missing') return { state: { kind: 'absent', memory: told }, effects };
  const restMs = Math.min(LONGEST_REST_MS, REST_MS * 2 ** Math.min(memory.failures, 10));
  return { state: { kind: 'resting', memory: told, untilMs: nowMs + restMs }, effects };
}

function close(state: WatchState): Decision {
  const effects: WatchEffect[] =
    state.kind === 'starting' || state.kind === 'watching' ? [{ type: 'leave-child', child: state.memory.child }] : [];
  return { state: { kind: 'closed', memory: state.memory }, effects };
}

function stay(state: WatchState): Decision {
  return { state, effects: [] };
}

function to(state: WatchState, ...effects: readonly WatchEffect[]): Decision {
  return { state, effects };
}
