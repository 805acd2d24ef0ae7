/** Looks at each checkpoint of a storm while it is new: most of them are rotated away before the storm ends. */
import { lateWords, seenCommits } from '../power/seen-commits.ts';
import type { Violation } from '../torture/scenario.ts';

/** Shorter than a checkpoint stays: three are kept. */
const EVERY_MS = 60;

export class CommitLook {
  readonly violations: Violation[] = [];
  readonly #known = new Set<string>();
  #directory: string | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** From now on, in this session's directory. */
  begin(directory: string): void {
    if (directory === this.#directory) return;
    this.close();
    this.#directory = directory;
    this.#timer = setInterval(() => this.look(), EVERY_MS);
  }

  look(): void {
    if (this.#directory === null) return;
    for (const commit of seenCommits(this.#directory, this.#known)) {
      const { sequence, step, historyRows } = commit;
      const late = lateWords(commit);
      if (late !== null) this.violations.push({ invariant: 'one-owner', detail: late });
      if (historyRows === step) continue;
      const detail = `${historyRows} steps in the history of checkpoint ${sequence}, step ${step}`;
      this.violations.push({ invariant: 'no-step-twice', detail });
    }
  }

  get looked(): number {
    return this.#known.size;
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
