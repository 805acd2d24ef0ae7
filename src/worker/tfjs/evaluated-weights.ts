/** The weights of one state, and what stands in their place while an average is evaluated: one at a time. */
import * as tf from '@tensorflow/tfjs-core';
import { reference } from './tensor-bytes.ts';
import type { NamedVariable } from './weights.ts';

export class EvaluatedWeights {
  readonly variables: readonly NamedVariable[];
  /** The weights in training while others are swapped in. */
  #live: tf.Tensor[] | null = null;

  constructor(variables: readonly NamedVariable[]) {
    this.variables = variables;
  }

  get swapped(): boolean {
    return this.#live !== null;
  }

  /** The tensor that is in training, whatever is swapped in. */
  live(index: number): tf.Tensor | undefined {
    return this.#live?.[index];
  }

  /** @param tensors in the order of the variables; nothing is swapped in yet */
  swapIn(tensors: readonly tf.Tensor[]): void {
    this.#live = this.variables.map(({ variable }) => reference(variable));
    this.#assign(tensors);
  }

  swapBack(): void {
    const live = this.#live ?? [];
    this.#live = null;
    this.#assign(live);
    tf.dispose(live);
  }

  #assign(tensors: readonly tf.Tensor[]): void {
    for (const [index, { variable }] of this.variables.entries()) {
      const tensor = tensors[index];
      if (tensor !== undefined) variable.assign(tensor);
    }
  }
}
