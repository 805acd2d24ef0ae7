import type { Database } from 'better-sqlite3';
import { Statements } from './statements.ts';

/** What one card showed, averaged over `seconds`. Null: the card did not tell. */
export interface GpuSampleRow {
  readonly session: string;
  /** UUID of the card, or what stands for it. */
  readonly card: string;
  /** How much time the row stands for: 1, 10 or 60. */
  readonly seconds: number;
  /** Its beginning, seconds since 1970. */
  readonly at: number;
  readonly cardIndex: number | null;
  readonly temperatureC: number | null;
  /** Highest temperature in that time. */
  readonly hottestC: number | null;
  readonly utilizationPercent: number | null;
  readonly powerW: number | null;
  readonly memoryUsedMib: number | null;
}

/** How long rows are kept, in seconds, by how much time each stands for: the coarser the longer. */
export const KEPT_SECONDS = { 1: 3_600, 10: 86_400, 60: 30 * 86_400 } as const;
export type SampleSeconds = keyof typeof KEPT_SECONDS;
export const SAMPLE_SECONDS = [1, 10, 60] as const satisfies readonly SampleSeconds[];

/** Cards over time, for the curves of `show`. */
export class GpuSamplesTable {
  readonly #statements: Statements;

  constructor(database: Database) {
    this.#statements = new Statements(database);
  }

  /** A row of the same time is replaced: the clock was set back. */
  record(row: GpuSampleRow): void {
    const sql = `INSERT OR REPLACE INTO gpu_samples (session, card, seconds, at, card_index, temperature_c, hottest_c,
      utilization_percent, power_w, memory_used_mib) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const { session, card, seconds, at, cardIndex, temperatureC, hottestC } = row;
    const { utilizationPercent, powerW, memoryUsedMib } = row;
    const values = [cardIndex, temperatureC, hottestC, utilizationPercent, powerW, memoryUsedMib];
    this.#statements.run(sql, session, card, seconds, at, ...values);
  }

  /** Of all sessions. */
  prune(nowSeconds: number): void {
    for (const seconds of SAMPLE_SECONDS) {
      const oldest = nowSeconds - KEPT_SECONDS[seconds];
      this.#statements.run('DELETE FROM gpu_samples WHERE seconds = ? AND at < ?', seconds, oldest);
    }
  }

  /** The finest rows that reach back to the session's first one, of each card in the order of time. */
  ofSession(session: string): GpuSampleRow[] {
    const sql = `SELECT session, card, seconds, at, card_index AS cardIndex, temperature_c AS temperatureC,
      hottest_c AS hottestC, utilization_percent AS utilizationPercent, power_w AS powerW,
      memory_used_mib AS memoryUsedMib FROM gpu_samples WHERE session = ? AND seconds = ? ORDER BY card, at`;
    return this.#statements.all<GpuSampleRow>(sql, session, this.#finest(session));
  }

  #finest(session: string): number {
    const sql = 'SELECT seconds, min(at) AS first FROM gpu_samples WHERE session = ? GROUP BY seconds ORDER BY seconds';
    const firsts = this.#statements.all<{ seconds: number; first: number }>(sql, session);
    const first = Math.min(...firsts.map((each) => each.first));
    // A minute begins before the first second in it.
    return firsts.find((each) => each.first - first < 60)?.seconds ?? 60;
  }
}
