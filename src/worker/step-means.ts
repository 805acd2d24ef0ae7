/** Running means of the step metrics over the present epoch; they survive in a checkpoint, so sums stay bit-equal. */

export type MeansState = Readonly<Record<string, { readonly sum: number; readonly count: number }>>;

export class StepMeans {
  readonly #metrics = new Map<string, { sum: number; count: number }>();

  add(name: string, value: number): void {
    const entry = this.#metrics.get(name);
    if (entry === undefined) this.#metrics.set(name, { sum: value, count: 1 });
    else {
      entry.sum += value;
      entry.count++;
    }
  }

  /** NaN when the metric was not given in this epoch. */
  mean(name: string): number {
    const entry = this.#metrics.get(name);
    return entry === undefined ? Number.NaN : entry.sum / entry.count;
  }

  /** Undefined when the metric was not given in this epoch. */
  known(name: string): number | undefined {
    return this.#metrics.has(name) ? this.mean(name) : undefined;
  }

  clear(): void {
    this.#metrics.clear();
  }

  state(): MeansState {
    return Object.fromEntries([...this.#metrics].map(([name, entry]) => [name, { ...entry }]));
  }

  putBack(state: MeansState): void {
    this.#metrics.clear();
    for (const [name, { sum, count }] of Object.entries(state)) this.#metrics.set(name, { sum, count });
  }
}
