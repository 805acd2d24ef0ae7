/** Averages of the weights over training (EMA, SWA), swapped in for evaluation and always swapped back. */
import * as tf from '@tensorflow/tfjs-core';
import { NkatError } from '../../errors.ts';
import type { EvaluatedWeights } from './evaluated-weights.ts';
import { reference } from './tensor-bytes.ts';

export interface EmaOptions {
  /** Share of the old average that each step keeps, for example 0.999. */
  readonly decay: number;
}

/**
 * Exponential moving average. Early steps decay faster, min(decay, (1 + n) / (10 + n)), so that the random start is
 * soon forgotten (the rule of TensorFlow's ExponentialMovingAverage with num_updates).
 */
export function ema({ decay }: EmaOptions): WeightAverage {
  if (!(decay >= 0 && decay < 1)) refuse(`an EMA decay of ${decay} is not within [0, 1)`);
  return new WeightAverage('ema', (updates) =>
    updates === 0 ? 1 : 1 - Math.min(decay, (1 + updates) / (10 + updates)),
  );
}

export interface SwaOptions {
  /** First step that counts. */
  readonly start: number;
  /** Steps between two samples. Default 1. */
  readonly every?: number;
}

/**
 * Stochastic weight averaging: the plain mean of the weights at every `every`-th step from `start` on. What a run that is
 * resumed with a later `start` had sampled before does not count.
 */
export function swa({ start, every = 1 }: SwaOptions): WeightAverage {
  if (!(start >= 0 && every >= 1)) refuse('a weight average needs start >= 0 and every >= 1');
  return new WeightAverage('swa', (updates, step) =>
    step >= start && (step - start) % every === 0 ? 1 / (Math.min(updates, (step - start) / every) + 1) : 0,
  );
}

export interface AverageFacts {
  readonly kind: string;
  readonly updates: number;
}

/** Made by `ema()` or `swa()` and given to `tfjsState({ average })`, alone or with others by name. */
export class WeightAverage {
  readonly kind: string;
  /** Share of the new weights in the average after this step; 0 leaves it, 1 replaces it. */
  readonly #share: (updates: number, step: number) => number;
  /** Null until a state has taken it. */
  #weights: EvaluatedWeights | null = null;
  /** Of its tensors' names. */
  #prefix = 'average';
  /** In the order of the weights; empty until the first update. Kept tensors, so that they are no tfjs variables. */
  #averages: tf.Tensor[] = [];
  #updates = 0;

  constructor(kind: string, share: (updates: number, step: number) => number) {
    this.kind = kind;
    this.#share = share;
  }

  /**
   * Runs `body` with the average in the place of the weights (with the weights themselves before the first update) and
   * puts the weights back, also when it throws or its promise is rejected.
   */
  evaluate<T>(body: () => T): T {
    const weights = this.#weights;
    if (weights?.swapped) refuse('average.evaluate() was called inside average.evaluate()');
    if (weights === null || this.#averages.length === 0) return body();
    weights.swapIn(this.#averages);
    let result: T;
    try {
      result = body();
    } catch (error) {
      weights.swapBack();
      throw error;
    }
    if (isPromise(result)) return result.finally(() => weights.swapBack()) as T;
    weights.swapBack();
    return result;
  }

  /** @internal @param prefix of the names of its tensors: `average`, or `average/ema` where there are several */
  attach(weights: EvaluatedWeights, prefix: string): void {
    if (this.#weights !== null) refuse('one average cannot serve two states');
    this.#weights = weights;
    this.#prefix = prefix;
  }

  /** @internal Takes the weights after step number `step` in. */
  afterStep(step: number): void {
    if (this.#weights?.swapped) refuse('a step was made inside average.evaluate()');
    const share = this.#share(this.#updates, step);
    if (share === 0) return;
    const next = this.#variables.map(({ variable }, index) => blend(this.#averages[index], variable, share));
    tf.dispose(this.#averages);
    this.#averages = next;
    this.#updates += 1;
  }

  /** @internal */
  facts(): AverageFacts {
    return { kind: this.kind, updates: this.#updates };
  }

  /** @internal */
  tensors(): { name: string; tensor: tf.Tensor }[] {
    return this.#averages.flatMap((tensor, index) => ({ name: this.#nameOf(index), tensor }));
  }

  /** @internal */
  visit(look: (tensor: tf.Tensor) => void): void {
    for (const tensor of this.#averages) look(tensor);
  }

  /** @internal */
  expected(facts: AverageFacts): { name: string; like: tf.Tensor }[] {
    if (facts.updates === 0) return [];
    return this.#variables.map(({ variable }, index) => ({ name: this.#nameOf(index), like: variable }));
  }

  /** @internal All tensors have been checked against `expected`. */
  restore(facts: AverageFacts, tensors: ReadonlyMap<string, tf.Tensor>): void {
    const names = this.expected(facts).map(({ name }) => name);
    tf.dispose(this.#averages);
    this.#averages = names.flatMap((name) => {
      const tensor = tensors.get(name);
      return tensor === undefined ? [] : [reference(tensor)];
    });
    this.#updates = facts.updates;
  }

  get #variables(): EvaluatedWeights['variables'] {
    return this.#weights?.variables ?? [];
  }

  #nameOf(index: number): string {
    return `${this.#prefix}/${this.#variables[index]?.name}`;
  }
}

/** Counters and flags are not averaged: the newest counts. */
function blend(average: tf.Tensor | undefined, weight: tf.Variable, share: number): tf.Tensor {
  if (average === undefined || share === 1 || weight.dtype !== 'float32') return reference(weight);
  return tf.keep(tf.tidy(() => tf.add(tf.mul(average, 1 - share), tf.mul(weight, share))));
}

function isPromise(value: unknown): value is Promise<unknown> {
  return value instanceof Promise;
}

function refuse(message: string): never {
  throw new NkatError(message, { code: 'usage', operation: 'average the weights' });
}
