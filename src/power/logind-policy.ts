/** What a session makes of a machine that is about to shut down or to sleep. Pure. */

export type Going = 'shutdown' | 'sleep';

export interface LogindState {
  /** What the machine is about to do; null: nothing. */
  readonly going: Going | null;
  /** When that was announced, monotonic, in ms. */
  readonly sinceMs: number;
  /** A save was asked for, and the machine waits for it. */
  readonly saving: boolean;
}

export const AWAKE: LogindState = { going: null, sinceMs: 0, saving: false };

export type LogindEvent =
  /** `begins`: false when it is over, or was called off. */
  | { readonly type: 'announced'; readonly going: Going; readonly begins: boolean; readonly nowMs: number }
  /** The save that was asked for is durable, has failed, or will not come. */
  | { readonly type: 'save-over' };

export type LogindAction =
  | { readonly type: 'tell-going'; readonly going: Going }
  | { readonly type: 'save'; readonly going: Going }
  | { readonly type: 'let-go' }
  | { readonly type: 'hold' }
  /** Silence and deadlines of so long count for nothing. */
  | { readonly type: 'woke'; readonly forMs: number };

export interface LogindStep {
  readonly state: LogindState;
  readonly actions: readonly LogindAction[];
}

/** The lock is held whenever nothing is announced, and let go of as soon as the save is over. */
export function judgeLogind(state: LogindState, event: LogindEvent): LogindStep {
  if (event.type === 'save-over') {
    if (!state.saving) return { state, actions: [] };
    return { state: { ...state, saving: false }, actions: [{ type: 'let-go' }] };
  }
  const { going, begins, nowMs } = event;
  if (begins) {
    // A machine that goes down while it was to sleep: one save is on its way, and the lock as good as gone.
    const isKnown = state.going !== null;
    if (isKnown)
      return { state: { ...state, going }, actions: state.going === going ? [] : [{ type: 'tell-going', going }] };
    return {
      state: { going, sinceMs: nowMs, saving: true },
      actions: [
        { type: 'tell-going', going },
        { type: 'save', going },
      ],
    };
  }
  if (state.going !== going) return { state, actions: [] };
  const woke: LogindAction[] = going === 'sleep' ? [{ type: 'woke', forMs: Math.max(0, nowMs - state.sinceMs) }] : [];
  return {
    state: AWAKE,
    // One that was not let go of yet is held on to; a new one takes its place.
    actions: [...(state.saving ? [{ type: 'let-go' } as const] : []), ...woke, { type: 'hold' }],
  };
}
