/** The copy of the best model, as far as the operator should hear of it. */

export interface BackupNewsOptions {
  /** Where the copies are. */
  readonly place: () => string;
  readonly say: (level: 'info' | 'warning', message: string) => void;
}

/** Says when copying begins to fail and when the copy stands again, and nothing after each commit in between. */
export class BackupNews {
  readonly #options: BackupNewsOptions;
  #failing = false;

  constructor(options: BackupNewsOptions) {
    this.#options = options;
  }

  /** @param problem null: it stands */
  take(problem: string | null): void {
    const { place, say } = this.#options;
    if (problem !== null && !this.#failing) {
      say('warning', `the best model could not be copied to ${place()} and is tried again: ${problem}`);
    }
    if (problem === null && this.#failing) say('info', `the best model has its copy in ${place()} again`);
    this.#failing = problem !== null;
  }
}
