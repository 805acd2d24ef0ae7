/**
 * What is still saved and said while the process ends: nothing but synchronous work is left then. A run that dies
 * between two boundaries is saved as it was at the last one, where all still is as it was there.
 */
import type { Boundary } from './boundary.ts';
import type { Standing } from './boundary-mark.ts';
import type { Cause } from './cause.ts';
import { firstLine } from './error-words.ts';
import type { RunMemory } from './run-memory.ts';
import type { Saver } from './saver.ts';
import type { SessionLink } from './session-link.ts';

/** How long an ending process waits until its last report was sent. */
const LAST_WORDS_MS = 500;

export interface LastSaveOptions {
  readonly saver: Saver;
  readonly link: SessionLink;
  readonly boundary: Boundary;
  readonly memory: RunMemory;
}

export class LastSave {
  readonly #options: LastSaveOptions;
  /** Step of the resume point; null: fresh. Before its first own step a launch has nothing to lose. */
  #startStep = 0;
  #thrown: { readonly reason: string; readonly step: number } | null = null;

  constructor(options: LastSaveOptions) {
    this.#options = options;
  }

  startsAt(step: number): void {
    this.#startStep = step;
  }

  /** Something was thrown that nobody caught. A trainer with handlers of its own may train on after it. */
  thrown(error: unknown): void {
    this.#thrown = { reason: firstLine(error), step: this.#options.memory.position.step };
  }

  /**
   * Finishes the save in flight, makes an emergency save where there is a cause and something to lose, and sends what
   * was reported last.
   * @param cause null: an orderly end
   * @param timeoutMs for the saves
   */
  finish(cause: Cause | null, timeoutMs: number): void {
    const { saver, link, memory } = this.#options;
    const deadline = performance.now() + timeoutMs;
    const left = (): number => Math.max(0, deadline - performance.now());
    if (cause !== null) {
      const isOfThrow = this.#thrown !== null && this.#thrown.step === memory.position.step;
      this.#emergency(isOfThrow && this.#thrown !== null ? this.#thrown.reason : cause.reason, left);
    }
    if (!saver.idle) {
      try {
        saver.hurry();
      } catch {
        // The state can no longer be read; the saver has given the save up and said so.
      }
      link.drainUntil(() => saver.idle, left());
    }
    // How far it came is news too: the supervisor classifies a trainer that never made a step differently.
    link.flushNow(LAST_WORDS_MS);
  }

  #emergency(reason: string, left: () => number): void {
    const { saver, link, boundary, memory } = this.#options;
    const { state } = boundary;
    const { step, epoch } = memory.position;
    if (state === null || step <= this.#startStep) return;
    if (saver.has(step, epoch)) {
      saver.join(step, epoch, ['emergency'], reason, []);
      return;
    }
    const standing = memory.mark.standing(state);
    if (standing.kind !== 'unchanged') {
      this.#say(`No emergency save (${reason}): ${whyNot(standing.kind, step)}`);
      return;
    }
    try {
      saver.supersede(step, epoch);
      if (saver.busy) {
        saver.hurry();
        link.drainUntil(() => !saver.busy, left());
      }
      if (!saver.busy) boundary.begin({ kinds: ['emergency'], reason, requests: [] }, standing.marked);
      else this.#say(`No emergency save (${reason}): an earlier save is not written yet`);
    } catch (error) {
      // Told by the saver where it had begun; the process is ending with an error of its own.
      this.#say(`No emergency save (${reason}): ${firstLine(error)}`);
    }
  }

  #say(message: string): void {
    this.#options.link.post({ type: 'notice', level: 'warning', message });
  }
}

function whyNot(kind: Exclude<Standing['kind'], 'unchanged'>, step: number): string {
  const counts = 'the newest checkpoint counts';
  switch (kind) {
    case 'changed':
      return `weights or optimizer were changed since step ${step}, so ${counts}`;
    case 'in-place':
      return `this state is changed in place, so nobody can tell whether it still is that of step ${step}; ${counts}`;
    case 'kept-too-large':
      return `what run.keep holds is too large to be copied at each step, so ${counts}`;
    case 'inside':
      return `it came inside run.step or run.epochEnd, after step ${step} was counted; ${counts}`;
    case 'not-marked':
      return `no step was made since the start; ${counts}`;
  }
}
