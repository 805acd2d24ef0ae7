/** A loss that is no number any more: told once, and nothing is saved from then on. */
import { NkatError } from '../errors.ts';
import type { SessionLink } from './session-link.ts';

type LossWord = 'NaN' | 'Infinity' | '-Infinity';

export class Divergence {
  readonly #link: SessionLink;
  readonly #adapts: boolean;
  #error: NkatError | null = null;

  /** @param adapts the trainer takes a scaled learning rate after a divergence. */
  constructor(link: SessionLink, adapts: boolean) {
    this.#link = link;
    this.#adapts = adapts;
  }

  get error(): NkatError | null {
    return this.#error;
  }

  /** @throws NkatError `diverged` once it was told. */
  refuse(): void {
    if (this.#error !== null) throw this.#error;
  }

  /** @throws NkatError `diverged`, always, when the supervisor has been told. */
  async tell(step: number, loss: number): Promise<never> {
    const word = lossWord(loss);
    const error = new NkatError(`the loss is ${word} at step ${step}`, {
      code: 'diverged',
      operation: 'train',
      hint: 'Nothing was saved since. Lower the learning rate, or look at the data of this step.',
    });
    this.#error = error;
    this.#link.post({ type: 'diverged', step, loss: word, adapts: this.#adapts });
    await this.#link.flush();
    throw error;
  }
}

function lossWord(loss: number): LossWord {
  if (Number.isNaN(loss)) return 'NaN';
  return loss > 0 ? 'Infinity' : '-Infinity';
}
