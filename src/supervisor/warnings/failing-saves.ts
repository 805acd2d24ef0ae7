/** Saves that nobody asked for and that fail: told when they begin to, and when they work again. */
import { isUnasked } from '../../words.ts';
import type { SupervisorEvent } from '../events.ts';

const CODE = 'saves-failing';

export interface FailedSave {
  readonly kinds: readonly string[];
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** True where a warning tells a failure, once, so that no line has to each time. One that gave way did not fail. */
export function isToldByWarning({ kinds, code }: Pick<FailedSave, 'kinds' | 'code'>): boolean {
  return code !== 'superseded' && isUnasked(kinds);
}

export class FailingSaves {
  readonly #tell: (event: SupervisorEvent) => void;
  /** Codes of failures that were told since saves began to fail. */
  readonly #told = new Set<string>();

  constructor(tell: (event: SupervisorEvent) => void) {
    this.#tell = tell;
  }

  /** Each sort of failure once: the first may be what was under way when a disk went, the second names the disk. */
  failed(save: FailedSave): void {
    const { code, message, hint } = save;
    // The shortage of room has a warning of its own.
    if (code === 'no-space' || !isToldByWarning(save) || this.#told.has(code)) return;
    this.#told.add(code);
    const why = /[.?!]$/.test(message) ? message : `${message}.`;
    const words = `Saves fail (${code}): ${why} Training goes on, and each next save is tried`;
    this.#tell({ name: 'warning', code: CODE, message: words, hint });
  }

  durable(sequence: number, step: number): void {
    if (this.#told.size === 0) return;
    this.#told.clear();
    const message = `Saves work again: checkpoint ${sequence} of step ${step} is durable`;
    this.#tell({ name: 'warning-ended', code: CODE, message });
  }
}
