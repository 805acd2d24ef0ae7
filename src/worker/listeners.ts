/** The trainer's own listeners: told of a pause and of the stop, and never in the way of either. */
import { withStack } from './error-words.ts';
import type { Interruption } from './run.ts';
import type { SessionLink } from './session-link.ts';

/** How long one may take. The save of a stop must not wait for longer: the machine may be going down. */
const PATIENCE_MS = 10_000;

export type Listener = (interruption: Interruption) => void | Promise<void>;

export class Listeners {
  readonly pause: Listener[] = [];
  readonly stop: Listener[] = [];
  readonly release: Listener[] = [];
  readonly #link: SessionLink;

  constructor(link: SessionLink) {
    this.#link = link;
  }

  /** One after the other. What they throw is told; it must not cost the save. */
  async tell(kind: 'pause' | 'stop' | 'release', interruption: Interruption): Promise<void> {
    for (const listener of this[kind]) {
      try {
        await this.#patiently(listener(interruption));
      } catch (error) {
        this.#tellThrown(error);
      }
    }
  }

  /** What does not settle in time is told, and goes on by itself. */
  async #patiently(answer: unknown): Promise<void> {
    if (answer === undefined) return;
    const work = Promise.resolve(answer);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), PATIENCE_MS);
    });
    try {
      if ((await Promise.race([work, late])) !== 'late') return;
    } finally {
      clearTimeout(timer);
    }
    // Nobody else would hear of how it ends.
    work.catch((error: unknown) => this.#tellThrown(error));
    const message = `a listener of the trainer has not settled for ${PATIENCE_MS / 1_000} s and is not waited for any longer`;
    this.#link.post({ type: 'notice', level: 'warning', message });
  }

  #tellThrown(error: unknown): void {
    const message = `a listener of the trainer threw: ${withStack(error)}`;
    this.#link.post({ type: 'notice', level: 'error', message });
  }
}
