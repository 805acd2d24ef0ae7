/** What a run without a supervisor says to its operator: what cannot go unnoticed, and nothing twice. */
import type { MessageOf, WorkerMessage } from '../../protocol/messages.ts';
import { isUnasked } from '../../words.ts';

export class AloneWords {
  readonly #say: (line: string) => void;
  #failing = false;

  /** @param say writes a line for the operator */
  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  take(message: WorkerMessage): void {
    if (message.type === 'room') {
      this.#say(message.hint === null ? message.message : `${message.message} ${message.hint}`);
    } else if (message.type === 'save-failed') this.#failed(message);
    else if (message.type === 'saved' && message.state === 'durable') {
      if (this.#failing)
        this.#say(`saves work again: checkpoint ${message.sequence} of step ${message.step} is durable`);
      this.#failing = false;
    } else if (message.type === 'notice' && message.level !== 'info') this.#say(message.message);
    else if (message.type === 'diverged') {
      this.#say(`the loss is ${message.loss} at step ${message.step}; nothing was saved since`);
    }
  }

  #failed({ request, kinds, step, code, message, hint }: MessageOf<WorkerMessage, 'save-failed'>): void {
    if (request === null && isUnasked(kinds) && code !== 'superseded') {
      // One without room was told as such, once.
      if (this.#failing || code === 'no-space') return;
      this.#failing = true;
    }
    this.#say(`the save at step ${step} failed (${code}): ${message}${hint === null ? '' : `. ${hint}`}`);
  }
}
