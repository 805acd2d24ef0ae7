import type { Database } from 'better-sqlite3';
import { fromJson, toJson } from './json-column.ts';
import { Statements } from './statements.ts';

/** One session in one drill. */
export interface DrillRow {
  /** Id of the drill; one of `--all` has a row for each session. */
  readonly drill: string;
  readonly session: string;
  /** ISO 8601. */
  readonly at: string;
  /** `1`, `2`, `3` or `replay`. */
  readonly level: string;
  readonly ok: boolean;
  readonly chosenSequence: number | null;
  readonly chosenStep: number | null;
  readonly stepsLost: number;
  /** Of the whole recovery, in milliseconds. */
  readonly totalMs: number;
  /** `exact`, `differs`, `unproved`, `skipped`; null: none was asked for. */
  readonly replay: string | null;
  /** What was broken on purpose, as it was asked for. */
  readonly injected: readonly string[];
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type StoredDrill = Omit<DrillRow, 'ok' | 'injected' | 'problems' | 'warnings'> & {
  readonly ok: number;
  readonly injected: string;
  readonly problems: string;
  readonly warnings: string;
};

const SELECT = `SELECT drill, session, at, level, ok, chosen_sequence AS chosenSequence, chosen_step AS chosenStep,
  steps_lost AS stepsLost, total_ms AS totalMs, replay, injected, problems, warnings FROM drills`;

/** What rehearsals of recovery came to. */
export class DrillsTable {
  readonly #statements: Statements;

  constructor(database: Database) {
    this.#statements = new Statements(database);
  }

  record(row: DrillRow): void {
    const sql = `INSERT INTO drills (drill, session, at, level, ok, chosen_sequence, chosen_step, steps_lost, total_ms,
      replay, injected, problems, warnings) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
    const { drill, session, at, level, chosenSequence, chosenStep, stepsLost, totalMs, replay } = row;
    const texts = [toJson(row.injected), toJson(row.problems), toJson(row.warnings)];
    const facts = [drill, session, at, level, row.ok ? 1 : 0, chosenSequence, chosenStep, stepsLost, totalMs, replay];
    this.#statements.run(sql, ...facts, ...texts);
  }

  /** The newest `limit`, oldest first: of these sessions, or of all where none is named. */
  history(sessions: readonly string[], limit: number): DrillRow[] {
    const which = sessions.length === 0 ? '' : `WHERE session IN (${sessions.map(() => '?').join(', ')})`;
    const sql = `${SELECT} ${which} ORDER BY id DESC LIMIT ?`;
    return this.#statements
      .all<StoredDrill>(sql, ...sessions, limit)
      .map(toRow)
      .reverse();
  }
}

function toRow(stored: StoredDrill): DrillRow {
  return {
    ...stored,
    ok: stored.ok === 1,
    injected: fromJson<string[]>(stored.injected) ?? [],
    problems: fromJson<string[]>(stored.problems) ?? [],
    warnings: fromJson<string[]>(stored.warnings) ?? [],
  };
}
