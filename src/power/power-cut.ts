/** What a session makes of a power cut: how long it was down, and whether the power can be trusted already. Pure. */

/** One cut in a session's life, as its record keeps it. */
export interface CutNote {
  /** Last sign of life before it, ISO 8601. */
  readonly lastSeenAt: string;
  /** When the session was brought back after it, ISO 8601. */
  readonly resumedAt: string;
}

export interface CutFacts {
  /** The session's earlier cuts, oldest first. */
  readonly earlier: readonly CutNote[];
  /** Newest trace of the attempt that was cut, wall clock in ms. */
  readonly lastSeenMs: number;
  /** Wall clock in ms. */
  readonly nowMs: number;
  /** How long the machine has been up, in ms. */
  readonly uptimeMs: number;
  /** How long the power has to hold before a session that was cut again is launched; 0: that is not waited for. */
  readonly settleMs: number;
}

export interface PowerCut {
  readonly lastSeenAt: string;
  /** When the machine came up again; null: its clock says something impossible. */
  readonly bootedAt: string | null;
  /** From the last sign of life to now; null: its clock says something impossible. */
  readonly downMs: number | null;
  /** Cuts that came within {@link SOON_MS} of one another's recovery, this one included. */
  readonly inRow: number;
  /** How long the session was back before this cut; null: this is its first one, or the clock was set. */
  readonly backForMs: number | null;
  /** How long to wait before the launch. */
  readonly waitMs: number;
}

/** A cut this soon after the recovery from the one before says that the power is still bad. */
export const SOON_MS = 10 * 60_000;
/** Cuts that a session remembers. */
const KEPT_CUTS = 20;

export function judgeCut({ earlier, lastSeenMs, nowMs, uptimeMs, settleMs }: CutFacts): PowerCut {
  const bootedMs = nowMs - uptimeMs;
  // The clock of a machine whose battery is flat starts anywhere after a cut.
  const isPossible = bootedMs > lastSeenMs;
  const inRow = 1 + soonAgain([...earlier].reverse(), lastSeenMs);
  const last = earlier.at(-1);
  const backForMs = last === undefined ? null : lastSeenMs - Date.parse(last.resumedAt);
  const settledMs = isPossible ? uptimeMs : 0;
  return {
    lastSeenAt: new Date(lastSeenMs).toISOString(),
    bootedAt: isPossible ? new Date(bootedMs).toISOString() : null,
    downMs: nowMs >= lastSeenMs ? nowMs - lastSeenMs : null,
    inRow,
    backForMs: backForMs === null || backForMs < 0 ? null : backForMs,
    waitMs: inRow > 1 ? Math.max(0, settleMs - settledMs) : 0,
  };
}

/** The session's cuts with this one; the oldest are forgotten. */
export function withCut(earlier: readonly CutNote[], cut: PowerCut, nowMs: number): CutNote[] {
  const note = { lastSeenAt: cut.lastSeenAt, resumedAt: new Date(nowMs).toISOString() };
  return [...earlier, note].slice(-KEPT_CUTS);
}

/** @param newestFirst cuts before the one that came at `cutMs` */
function soonAgain(newestFirst: readonly CutNote[], cutMs: number): number {
  const [last, ...rest] = newestFirst;
  if (last === undefined) return 0;
  const backForMs = cutMs - Date.parse(last.resumedAt);
  return backForMs >= 0 && backForMs < SOON_MS ? 1 + soonAgain(rest, Date.parse(last.lastSeenAt)) : 0;
}
