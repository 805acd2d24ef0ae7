/** Periodic saves of one launch: when the last was begun, what saves have cost, how many were passed over. */
import type { SavePolicy } from '../protocol/messages.ts';
import { dueAtStep, NO_COST, type SaveCost, withMeasurement } from './save-policy.ts';

export class Periodic {
  policy: SavePolicy;
  #cost: SaveCost = NO_COST;
  #lastMs: number;
  #skipped = 0;
  #owed = false;

  /** @param nowMs monotonic; the first interval counts from here. */
  constructor(policy: SavePolicy, nowMs: number) {
    this.policy = policy;
    this.#lastMs = nowMs;
  }

  /** Saves are written while training goes on; else it waits until each is durable. */
  get runsBeside(): boolean {
    return this.policy.asyncSave ?? true;
  }

  get skipped(): number {
    return this.#skipped;
  }

  measured(stallMs: number, bytes: number): void {
    this.#cost = withMeasurement(this.#cost, stallMs, bytes);
  }

  due(step: number, nowMs: number): boolean {
    return this.#owed || dueAtStep(this.policy, this.#cost, step, nowMs - this.#lastMs);
  }

  /** A save of this moment was begun, so the next interval starts. */
  begun(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#owed = false;
  }

  /** One was due, and there is no room for it: it is made up for as soon as there is. */
  owe(): void {
    this.#owed = true;
  }

  /** One was due while another was in flight. */
  passedOver(nowMs: number): void {
    this.#skipped++;
    this.#lastMs = nowMs;
  }
}
