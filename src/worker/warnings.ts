/** What the trainer does that costs it something: said once each, at the first time. */
import type { SessionLink } from './session-link.ts';

export const NOT_AWAITED =
  'run.step() was called again before it had resolved: await it, or pauses and stops come late';
export const SAVED_INSIDE_STEP =
  'run.save() came between a batch and its run.step(): after a resume that batch is trained again; save after the step';
export const EPOCH_OVER =
  'this checkpoint is from the middle of an epoch, which is trained again from its head: only run.batches() takes an epoch up in its middle; without it, save at epochs (--save-every-epochs 1)';

export class Warnings {
  readonly #link: SessionLink;
  readonly #said = new Set<string>();

  constructor(link: SessionLink) {
    this.#link = link;
  }

  once(message: string): void {
    if (this.#said.has(message)) return;
    this.#said.add(message);
    this.say(message);
  }

  say(message: string, level: 'warning' | 'error' = 'warning'): void {
    this.#link.post({ type: 'notice', level, message });
  }
}
