/** What a session said that it saved: the other half of every look at the disk after a cut. */
import type { SupervisorEvent } from '../../src/supervisor/events.ts';

export interface Acknowledgement {
  readonly sequence: number;
  readonly step: number;
  readonly digest: string;
  readonly kinds: readonly string[];
}

export class Acknowledged {
  readonly #bySequence = new Map<number, Acknowledgement>();
  /** Numbers that were acknowledged for two different contents. */
  readonly reused: number[] = [];

  /** Whatever was said counts, also after the cut: a disk that is gone refuses every sync, so it cannot be true by chance. */
  take(events: readonly SupervisorEvent[]): void {
    for (const event of events) {
      if (event.name === 'saved' || event.name === 'checkpoint-verified') this.add(event);
    }
  }

  add({ sequence, step, digest, kinds }: Acknowledgement): void {
    const earlier = this.#bySequence.get(sequence);
    if (earlier !== undefined && earlier.digest !== digest) this.reused.push(sequence);
    this.#bySequence.set(sequence, { sequence, step, digest, kinds });
  }

  get newest(): Acknowledgement | null {
    return this.all.at(-1) ?? null;
  }

  /** Oldest first. */
  get all(): Acknowledgement[] {
    return [...this.#bySequence.values()].sort((a, b) => a.sequence - b.sequence);
  }

  has(sequence: number): boolean {
    return this.#bySequence.has(sequence);
  }
}
