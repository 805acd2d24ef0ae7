/** What the trainer does that costs it something: said once each, at the first time. */
import type { SessionLink } from './session-link.ts';

export const NOT_AWAITED =
  'run.step() was called again before it had resolved: await it, or pauses and stops come late';
export const SAVED_INSIDE_STEP =
  'run.save() came between a batch and its run.step(): after a resume that batch is trained again; save after the step';
export const BATCH_SHARED =
  'run.step() was called twice for one batch of run.batches(): a checkpoint made in between takes the batch for trained, and after a resume its second step is left out; call run.step() once a batch, after all its updates (those of a generator and of its critic, say)';
export const EPOCH_OVER =
  'this checkpoint is from the middle of an epoch, which is trained again from its head: only run.batches() and run.stepsLeft() take an epoch up in its middle; without them, save at epochs (--save-every-epochs 1)';

/** A loop of the trainer's own made the checkpoint, and now there are batches. */
export function stepsMadeAgain(steps: number): string {
  const made = steps === 1 ? 'one step of this epoch was' : `${steps} steps of this epoch were`;
  return `${made} made before the checkpoint without run.batches(), so nothing says on which data: the epoch is trained again from its head; to train no step twice, start a new session with --new`;
}

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
