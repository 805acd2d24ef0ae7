/** The schema, as numbered steps keyed on `user_version`. A step that was released is never edited; add one. */
import type { Database } from 'better-sqlite3';
import { errnoOf, NkatError } from '../errors.ts';

/** Step n takes a database from version n to n + 1. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    name TEXT,
    state TEXT NOT NULL,
    trainer TEXT NOT NULL,
    args TEXT NOT NULL,
    cwd TEXT NOT NULL,
    root TEXT NOT NULL,
    backups TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    epoch INTEGER,
    step INTEGER,
    total_steps INTEGER,
    loss REAL,
    best_metric TEXT,
    checkpoints INTEGER NOT NULL DEFAULT 0,
    last_checkpoint_at TEXT,
    last_checkpoint_step INTEGER,
    supervisor_pid INTEGER,
    worker_pid INTEGER,
    source_digest TEXT,
    budget TEXT,
    -- What the session's directory looked like when it was last read for this index.
    indexed_change TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_age ON sessions (created_at, id);
  CREATE INDEX sessions_by_identity ON sessions (cwd, trainer, created_at);
  CREATE INDEX sessions_by_name ON sessions (name, created_at) WHERE name IS NOT NULL;
  CREATE INDEX sessions_by_root ON sessions (root, id);

  CREATE TABLE attempts (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    exit_code INTEGER,
    signal TEXT,
    class TEXT,
    reason TEXT,
    evidence TEXT,
    resumed_from_sequence INTEGER,
    first_step INTEGER,
    last_step INTEGER,
    pid INTEGER,
    group_pid INTEGER,
    start_time TEXT,
    boot_id TEXT,
    PRIMARY KEY (session, number)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE checkpoints (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    step INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    kinds TEXT NOT NULL,
    reason TEXT,
    state TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    digest TEXT NOT NULL,
    path TEXT NOT NULL,
    metrics TEXT NOT NULL,
    parent INTEGER,
    attempt INTEGER NOT NULL,
    PRIMARY KEY (session, sequence)
  ) STRICT, WITHOUT ROWID;
  -- The few that are there, of the many that were: counting them does not grow with a session's history.
  CREATE INDEX checkpoints_present ON checkpoints (session, sequence) WHERE state IN ('durable', 'verified');

  -- The session row carries what a listing shows of its checkpoints, right whoever writes them.
  CREATE TRIGGER checkpoint_inserted AFTER INSERT ON checkpoints BEGIN
    UPDATE sessions SET
      checkpoints = (SELECT count(*) FROM checkpoints c
        WHERE c.session = new.session AND c.state IN ('durable', 'verified')),
      (last_checkpoint_at, last_checkpoint_step) = (SELECT c.created_at, c.step FROM checkpoints c
        WHERE c.session = new.session AND c.state IN ('durable', 'verified') ORDER BY c.sequence DESC LIMIT 1)
    WHERE id = new.session;
  END;
  CREATE TRIGGER checkpoint_changed AFTER UPDATE OF state, step, created_at ON checkpoints BEGIN
    UPDATE sessions SET
      checkpoints = (SELECT count(*) FROM checkpoints c
        WHERE c.session = new.session AND c.state IN ('durable', 'verified')),
      (last_checkpoint_at, last_checkpoint_step) = (SELECT c.created_at, c.step FROM checkpoints c
        WHERE c.session = new.session AND c.state IN ('durable', 'verified') ORDER BY c.sequence DESC LIMIT 1)
    WHERE id = new.session;
  END;

  CREATE TABLE transitions (
    id INTEGER PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    from_state TEXT NOT NULL,
    event TEXT NOT NULL,
    to_state TEXT NOT NULL,
    detail TEXT
  ) STRICT;
  CREATE INDEX transitions_by_session ON transitions (session, id);

  CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    attempt INTEGER,
    name TEXT NOT NULL,
    detail TEXT
  ) STRICT;
  CREATE INDEX events_by_session ON events (session, id);

  CREATE TABLE saves (
    id INTEGER PRIMARY KEY,
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    sequence INTEGER,
    step INTEGER NOT NULL,
    kinds TEXT NOT NULL,
    outcome TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    stall_ms REAL NOT NULL,
    write_ms REAL NOT NULL,
    message TEXT
  ) STRICT;
  CREATE INDEX saves_by_session ON saves (session, id);

  -- What this file knows of itself.
  CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  // The few sessions that are looked at each time: finding them does not grow with the history.
  `
  CREATE INDEX sessions_watched ON sessions (root)
    WHERE state IN ('running', 'orphaned') OR indexed_change IS NULL;
  `,
  // What work without epochs says of itself.
  'ALTER TABLE sessions ADD COLUMN report TEXT',
  `
  CREATE TABLE drills (
    id INTEGER PRIMARY KEY,
    drill TEXT NOT NULL,
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    at TEXT NOT NULL,
    level TEXT NOT NULL,
    ok INTEGER NOT NULL,
    chosen_sequence INTEGER,
    chosen_step INTEGER,
    steps_lost INTEGER NOT NULL,
    total_ms REAL NOT NULL,
    replay TEXT,
    injected TEXT NOT NULL,
    problems TEXT NOT NULL,
    warnings TEXT NOT NULL
  ) STRICT;
  CREATE INDEX drills_by_session ON drills (session, id);
  `,
  // `seconds`: how much time a row stands for; `at`: its beginning, in seconds since 1970.
  `
  CREATE TABLE gpu_samples (
    session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    card TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    at INTEGER NOT NULL,
    card_index INTEGER,
    temperature_c REAL,
    hottest_c REAL,
    utilization_percent REAL,
    power_w REAL,
    memory_used_mib REAL,
    PRIMARY KEY (session, card, seconds, at)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX gpu_samples_by_age ON gpu_samples (seconds, at);
  `,
];

/** The version that `user_version` names; 0 for a new file. */
export function versionOf(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}

/**
 * Brings a database up to date, each step in a transaction of its own.
 * @throws NkatError 'database-newer', before anything is changed, for a file of a newer nkat-recover.
 */
export function migrate(database: Database, migrations: readonly string[] = MIGRATIONS): void {
  refuseNewer(database, migrations.length);
  for (const [from, step] of migrations.entries()) {
    const apply = database.transaction(() => {
      // Read again under the lock: another process may have been faster.
      if (versionOf(database) !== from) return;
      database.exec(step);
      database.pragma(`user_version = ${from + 1}`);
    });
    if (versionOf(database) === from) apply.immediate();
  }
}

/** @throws NkatError 'database-newer'. */
export function refuseNewer(database: Database, known = MIGRATIONS.length): void {
  const version = versionOf(database);
  if (version <= known) return;
  throw new NkatError(`the session database has version ${version}, this nkat-recover knows ${known}`, {
    code: 'database-newer',
    operation: 'open the session database',
    path: database.name,
    hint: 'Update nkat-recover, or keep a second state home with NKAT_HOME.',
  });
}

/** Whether a newer nkat-recover has brought the file of this connection forward meanwhile; false where that cannot be read. */
export function isNewer(database: Database): boolean {
  try {
    return versionOf(database) > MIGRATIONS.length;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return false;
  }
}
