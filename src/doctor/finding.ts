/** What one check of `doctor` came to. */

/** `problem`: training or recovery cannot be relied on. `warning`: it works, and worse than it could. `note`: worth knowing. */
export type Severity = 'ok' | 'note' | 'warning' | 'problem';

export interface Finding {
  /** A stable word: which check says so. */
  readonly check: string;
  readonly severity: Severity;
  /** One line: what, where, why. */
  readonly words: string;
  /** The command or action that mends it; null: nothing has to be done, or nothing is known to help. */
  readonly mend: string | null;
}

export function ok(check: string, words: string): Finding {
  return { check, severity: 'ok', words, mend: null };
}

export function note(check: string, words: string, mend: string | null = null): Finding {
  return { check, severity: 'note', words, mend };
}

export function warning(check: string, words: string, mend: string | null): Finding {
  return { check, severity: 'warning', words, mend };
}

export function problem(check: string, words: string, mend: string | null): Finding {
  return { check, severity: 'problem', words, mend };
}
