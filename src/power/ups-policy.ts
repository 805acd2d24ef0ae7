/** What training makes of a UPS: on battery save and go on, when it runs out save and stop. Pure. */

/** `unknown`: nobody has said yet, or not for some time. It is never taken for `line`. */
export type UpsPower = 'unknown' | 'line' | 'battery';

export type UpsReport =
  /** Words of `ups.status`: OL, OB, LB, FSD and others. Source: NUT developer guide, "Status data". */
  | { readonly kind: 'status'; readonly words: readonly string[] }
  /** No answer, or one that says that its data is stale. */
  | { readonly kind: 'silent'; readonly reason: string };

export interface UpsState {
  readonly power: UpsPower;
  /** When a status last came, monotonic ms; null: never. */
  readonly heardMs: number | null;
  /** When the last save on battery was asked for; null: none since it is on battery. */
  readonly savedMs: number | null;
  /** It was said that nothing is heard. */
  readonly silenceTold: boolean;
  readonly stopped: boolean;
}

export type UpsAction =
  | { readonly type: 'tell'; readonly power: UpsPower; readonly reason: string }
  | { readonly type: 'save'; readonly reason: string }
  | { readonly type: 'stop'; readonly reason: string };

export const FRESH_UPS: UpsState = {
  power: 'unknown',
  heardMs: null,
  savedMs: null,
  silenceTold: false,
  stopped: false,
};

/** How often is saved on battery: what a sudden end of the battery would cost at most. */
export const BATTERY_SAVE_MS = 60_000;
/** After this long without a status the last one counts no more. Source: MAXAGE of upsd, 15 s. */
export const STALE_MS = 15_000;

export interface UpsStep {
  readonly state: UpsState;
  readonly actions: readonly UpsAction[];
}

export function judgeUps(state: UpsState, report: UpsReport, nowMs: number): UpsStep {
  if (state.stopped) return { state, actions: [] };
  if (report.kind === 'silent') return whileSilent(state, report.reason, nowMs);
  const { words } = report;
  const heard = { ...state, heardMs: nowMs, silenceTold: false };
  if (words.includes('FSD')) return stop(heard, 'the UPS forces a shutdown (FSD)');
  if (words.includes('OB')) {
    if (words.includes('LB')) return stop(heard, 'the battery of the UPS is low (OB LB)');
    return onBattery(heard, nowMs);
  }
  // Neither on line nor on battery: off, or something that this release does not know.
  if (!words.includes('OL')) return whileSilent(state, `its status is ${words.join(' ') || 'empty'}`, nowMs);
  const line: UpsState = { ...heard, power: 'line', savedMs: null };
  if (state.power === 'line') return { state: line, actions: [] };
  const reason = state.power === 'battery' ? 'the power is back' : 'the UPS is on line';
  return { state: line, actions: [{ type: 'tell', power: 'line', reason }] };
}

function onBattery(heard: UpsState, nowMs: number): UpsStep {
  const begins = heard.power !== 'battery';
  const due = begins || heard.savedMs === null || nowMs - heard.savedMs >= BATTERY_SAVE_MS;
  const state: UpsState = { ...heard, power: 'battery', savedMs: due ? nowMs : heard.savedMs };
  const reason = 'the UPS runs on battery';
  return {
    state,
    actions: [
      ...(begins ? [{ type: 'tell', power: 'battery', reason } as const] : []),
      ...(due ? [{ type: 'save', reason } as const] : []),
    ],
  };
}

function whileSilent(state: UpsState, why: string, nowMs: number): UpsStep {
  const sinceMs = state.heardMs === null ? Number.POSITIVE_INFINITY : nowMs - state.heardMs;
  if (sinceMs < STALE_MS) return { state, actions: [] };
  // Nobody knows how much of the battery is left.
  if (state.power === 'battery') return stop(state, `the UPS ran on battery and is not heard of any more (${why})`);
  const next: UpsState = { ...state, power: 'unknown', silenceTold: true };
  const told = { type: 'tell', power: 'unknown', reason: `the UPS cannot be heard (${why})` } as const;
  return { state: next, actions: state.silenceTold ? [] : [told] };
}

function stop(state: UpsState, reason: string): UpsStep {
  return { state: { ...state, power: 'battery', stopped: true }, actions: [{ type: 'stop', reason }] };
}
