/** The end of a rehearsal: at the boundary that was asked for the state is saved, reported, and the process exits 0. */
import type { Ending } from './ending.ts';
import type { RunParts } from './run-parts.ts';
import type { SessionLink } from './session-link.ts';
import type { DrillOrder } from './thread/messages.ts';

const WISH = { kinds: ['drill'], reason: 'a rehearsal', requests: [] };

export interface DrillEndOptions {
  readonly order: DrillOrder;
  readonly parts: RunParts;
  readonly link: SessionLink;
  readonly ending: Ending;
}

export class DrillEnd {
  readonly #options: DrillEndOptions;

  constructor(options: DrillEndOptions) {
    this.#options = options;
  }

  /** Also when training went past the boundary without meeting it: the order then was of another course. */
  get isReached(): boolean {
    const { order, parts } = this.#options;
    const { step, epoch } = parts.memory.position;
    return step > order.step || (step === order.step && (order.epoch === null || epoch >= order.epoch));
  }

  /** Ends the process. @param completed the trainer has nothing left to train */
  async end(completed: boolean): Promise<never> {
    const { order, parts, link, ending } = this.#options;
    const { step, epoch } = parts.memory.position;
    if (order.save && !(await this.#save()) && order.fullDisk) await this.#save();
    const { loss } = parts.notes;
    link.post({ type: 'drilled', step, epoch, loss: loss !== null && Number.isFinite(loss) ? loss : null, completed });
    await link.flush();
    return ending.exit(0, 'the rehearsal is over');
  }

  /** False: it could not be made durable. */
  async #save(): Promise<boolean> {
    const { parts, link } = this.#options;
    if (parts.boundary.state === null) return true;
    const handle = await parts.boundary.saveNow(WISH, 'at-once');
    const outcome = await link.holding(handle.outcome);
    if (outcome.status === 'durable') await link.holding(handle.settled);
    return outcome.status === 'durable';
  }
}
