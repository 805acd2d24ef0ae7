/** Checkpoints that cannot be read and therefore stay, as far as the operator should hear of them. */
import type { Unreadable } from '../../checkpoint/settle.ts';

/** Says each once, not after each commit that finds it again. */
export class UnreadableNews {
  readonly #say: (message: string) => void;
  readonly #told = new Set<number>();

  constructor(say: (message: string) => void) {
    this.#say = say;
  }

  take(kept: readonly Unreadable[]): void {
    for (const { sequence, reason } of kept) {
      if (this.#told.has(sequence)) continue;
      this.#told.add(sequence);
      this.#say(
        `Checkpoint ${sequence} would be rotated away by now, but cannot be read (${reason}): it stays until it can`,
      );
    }
  }
}
