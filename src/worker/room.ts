/** Whether the checkpoints' disk takes saves at the moment, as the training loop knows it. */
import { type Deferred, deferred } from './deferred.ts';

export class Room {
  #closed = false;
  #changed: Deferred<void> = deferred();

  /** True from a save that found no room until the SDK's thread finds some again. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves at the next change. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  close(): void {
    if (!this.#closed) this.#set(true);
  }

  open(): void {
    if (this.#closed) this.#set(false);
  }

  #set(closed: boolean): void {
    this.#closed = closed;
    const changed = this.#changed;
    this.#changed = deferred();
    changed.resolve();
  }
}
