/** What the decisions depend on besides state and event. */
import type { HangSettings } from './hang.ts';
import type { RestartSettings } from './restart-policy.ts';

export interface MachineSettings extends RestartSettings {
  readonly noRestartCodes: readonly number[];
  readonly stop: { readonly graceMs: number | null; readonly terminateMs: number };
  readonly hang: HangSettings;
}

/** How long a live worker of an earlier supervisor has to connect: its SDK tries at least every 2 s. */
export const ADOPT_WAIT_MS = 20_000;
/** Least and most time for an emergency save. */
export const GRACE_MIN_MS = 60_000;
export const GRACE_MAX_MS = 900_000;

/** Grace of a stop: max(60 s, 3 x the longest observed save), at most 15 minutes, unless set. */
export function graceMs(settings: MachineSettings, longestSaveMs: number): number {
  return settings.stop.graceMs ?? Math.min(GRACE_MAX_MS, Math.max(GRACE_MIN_MS, 3 * longestSaveMs));
}
