/** The end of a training that has done all its work: a final checkpoint that is checked, then the word that it is done. */
import type { DrillEnd } from './drill-end.ts';
import type { RunParts } from './run-parts.ts';
import type { SessionLink } from './session-link.ts';

export interface CompletionOptions {
  readonly parts: RunParts;
  readonly link: SessionLink;
  /** Null: this is no rehearsal. */
  readonly drill: DrillEnd | null;
}

export class Completion {
  readonly #options: CompletionOptions;
  #isDone = false;

  constructor(options: CompletionOptions) {
    this.#options = options;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Once; what is asked again does nothing. */
  async complete(): Promise<void> {
    const { parts, link, drill } = this.#options;
    parts.divergence.refuse();
    if (this.#isDone) return;
    parts.notes.report(performance.now());
    if (drill !== null) return drill.end(true);
    parts.boundary.phase('save');
    const final = parts.boundary.state === null ? null : await parts.boundary.final();
    this.#isDone = true;
    parts.notes.completed(performance.now());
    const { step, epoch } = parts.memory.position;
    const { metrics } = parts.memory;
    link.post({ type: 'done', step, epoch, metrics, sequence: final?.sequence ?? null });
    link.post({ type: 'ended', state: 'completed' });
    await link.flush();
    parts.boundary.phase('eval');
  }
}
