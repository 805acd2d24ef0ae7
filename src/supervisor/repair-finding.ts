/** What a repair found. */

/** Stable words of `repair --json`. */
export type RepairWord =
  | 'database-damaged'
  | 'database-missing'
  | 'root-missing'
  | 'root-registered'
  | 'record-lost'
  | 'left-over'
  | 'session-held'
  | 'session-unreadable'
  | 'directory-passed-over'
  | 'directory-missing';

export interface RepairFinding {
  readonly what: RepairWord;
  readonly path: string;
  readonly message: string;
  /** What was done about it, or would be; null: nothing can be done from here. */
  readonly fixed: string | null;
}
