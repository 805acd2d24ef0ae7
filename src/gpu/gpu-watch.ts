/** Watches all cards through one nvidia-smi: carries out what the decision says. */
import { performance } from 'node:perf_hooks';
import { readKnownNames, readRefusedName } from './fields.ts';
import { type Header, readHeader } from './header.ts';
import { type GpuSample, readRow } from './sample.ts';
import { askSmi } from './smi-ask.ts';
import { SmiChild } from './smi-child.ts';
import type { SmiCommand } from './smi-command.ts';
import { missingTrouble, type SmiTrouble, troubleOf } from './smi-trouble.ts';
import { decideWatch, nextDeadlineMs } from './watch-decision.ts';
import { NEW_WATCH, type WatchEffect, type WatchEvent, type WatchState } from './watch-state.ts';

/** The list has some 60 KiB; it does not touch the cards. */
const FIELD_LIST = { timeoutMs: 10_000, maxBytes: 1024 * 1024 };
/** A tick that much too late means that we slept (suspend, SIGSTOP, a long computation). */
const LATE_MS = 2_000;

export interface GpuWatchEars {
  sample(sample: GpuSample): void;
  /** Once for each change: what is wrong with nvidia-smi, or null when it works again. */
  trouble(trouble: SmiTrouble | null): void;
}

export interface GpuWatchOptions {
  readonly command: SmiCommand;
  /** Between two rows of a card, milliseconds. */
  readonly periodMs: number;
  readonly ears: GpuWatchEars;
  /** A clock that runs on whatever the wall clock does; its values are the times of the samples. */
  readonly nowMs?: () => number;
}

export class GpuWatch {
  readonly #options: GpuWatchOptions;
  readonly #nowMs: () => number;
  #state: WatchState = NEW_WATCH;
  #child: { readonly number: number; readonly held: SmiChild; header: Header | null } | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: GpuWatchOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#dispatch({ type: 'opened' });
  }

  get kind(): WatchState['kind'] {
    return this.#state.kind;
  }

  /** Nothing is heard any more, and no process of ours is left but one that the kernel holds. */
  close(): void {
    this.#dispatch({ type: 'closed' });
  }

  #dispatch(event: WatchEvent): void {
    const { state, effects } = decideWatch(this.#state, event, this.#nowMs(), this.#options.periodMs);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const dueMs = nextDeadlineMs(this.#state, this.#options.periodMs);
    this.#timer = dueMs === null ? null : setTimeout(() => this.#tick(dueMs), Math.max(1, dueMs - this.#nowMs()));
    this.#timer?.unref();
  }

  #tick(dueMs: number): void {
    this.#dispatch({ type: 'tick', late: this.#nowMs() - dueMs > LATE_MS });
  }

  #perform(effect: WatchEffect): void {
    if (effect.type === 'ask-fields') void this.#askFields();
    else if (effect.type === 'tell-trouble') this.#options.ears.trouble(effect.trouble);
    else if (effect.type === 'tell-working') this.#options.ears.trouble(null);
    else if (effect.type === 'leave-child') this.#leave(effect.child);
    else this.#start(effect);
  }

  async #askFields(): Promise<void> {
    const answer = await askSmi(this.#options.command, ['--help-query-gpu'], FIELD_LIST);
    if (answer.kind === 'trouble' && (answer.trouble.kind === 'missing' || answer.trouble.kind === 'stuck')) {
      this.#dispatch({ type: 'question-failed', trouble: answer.trouble });
      return;
    }
    const known = answer.kind === 'answered' ? readKnownNames(answer.text) : null;
    this.#dispatch({ type: 'fields-told', known: known === null ? null : [...known] });
  }

  #start({ child, columns }: Extract<WatchEffect, { type: 'start-child' }>): void {
    const { command, periodMs } = this.#options;
    const held = new SmiChild(command, columns, periodMs, {
      line: (line) => this.#hear(child, line),
      ended: (code, words) => this.#dispatch({ type: 'child-ended', child, trouble: troubleOf(code, words) }),
      missing: (errno) =>
        this.#dispatch({ type: 'child-ended', child, trouble: missingTrouble(command.program, errno) }),
    });
    this.#child = { number: child, held, header: null };
  }

  #leave(child: number): void {
    if (this.#child?.number !== child) return;
    this.#child.held.leave();
    this.#child = null;
  }

  /** @returns whether it is header or row: a sentence is kept by the child, for its end */
  #hear(child: number, line: string): boolean {
    if (this.#child?.number !== child) return false;
    const refused = readRefusedName(line);
    if (refused !== null) {
      this.#dispatch({ type: 'field-refused', child, name: refused });
      return false;
    }
    const header = readHeader(line);
    if (header !== null) {
      this.#child.header = header;
      return true;
    }
    if (this.#child.header === null) return false;
    const sample = readRow(this.#child.header, line, this.#nowMs());
    if (sample === null) return false;
    this.#dispatch({ type: 'row', child });
    this.#options.ears.sample(sample);
    return true;
  }
}
