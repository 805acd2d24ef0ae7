/**
 * Tells whether tensors still hold the values that they held. A tensor's values are immutable: a variable that is
 * assigned takes another `dataId`, so comparing identities finds every change and copies nothing.
 */
import type { DataId, Tensor } from '@tensorflow/tfjs-core';

/** Calls back with each tensor, always in the same order. */
export type Visit = (look: (tensor: Tensor) => void) => void;

export class ValueMark {
  /** Of the marked tensors; identities only, so no values are kept alive. */
  #ids: DataId[] = [];
  #rest: readonly (number | string)[] = [];

  /** @param rest what is no tensor, compared by value */
  take(visit: Visit, rest: readonly (number | string)[]): void {
    const ids = this.#ids;
    let count = 0;
    visit(({ dataId }) => {
      ids[count++] = dataId;
    });
    ids.length = count;
    this.#rest = rest;
  }

  holds(visit: Visit, rest: readonly (number | string)[]): boolean {
    let count = 0;
    let same = true;
    visit((tensor) => {
      same &&= !tensor.isDisposed && tensor.dataId === this.#ids[count];
      count++;
    });
    const restSame = rest.length === this.#rest.length && rest.every((value, at) => Object.is(value, this.#rest[at]));
    return same && count === this.#ids.length && restSame;
  }
}
