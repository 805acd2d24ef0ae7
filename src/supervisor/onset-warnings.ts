/** Warnings about what is tried again and again: told when it begins to fail, and when it works again. */
import type { SupervisorEvent } from './events.ts';

export class OnsetWarnings {
  readonly #tell: (event: SupervisorEvent) => void;
  readonly #active = new Set<string>();

  constructor(tell: (event: SupervisorEvent) => void) {
    this.#tell = tell;
  }

  /** Nothing where this code was told and has not ended. */
  begin(code: string, message: string, hint: string | null): void {
    if (this.#active.has(code)) return;
    this.#active.add(code);
    this.#tell({ name: 'warning', code, message, hint });
  }

  /** Nothing where this code was not told. */
  end(code: string, message: string): void {
    if (this.#active.delete(code)) this.#tell({ name: 'warning-ended', code, message });
  }
}
