/** Drives the pure machine in virtual time. */

import type { Effect } from '../../../src/supervisor/machine/effect.ts';
import type { Happening, MachineEvent } from '../../../src/supervisor/machine/event.ts';
import type { MachineSettings } from '../../../src/supervisor/machine/settings.ts';
import type { State } from '../../../src/supervisor/machine/state.ts';
import { nextDeadlineMs, transition } from '../../../src/supervisor/machine/transition.ts';
import { FRESH_BUDGET } from '../../../src/words.ts';

export const SETTINGS: MachineSettings = {
  maxRestarts: null,
  backoff: { initialMs: 5_000, maxMs: 300_000, jitter: 0.2 },
  noRestartCodes: [],
  stop: { graceMs: null, terminateMs: 5_000 },
  hang: { trainMs: 60_000, otherMs: 600_000 },
};

export class Rig {
  state: State = {
    kind: 'opening',
    ledger: { attempt: 0, budget: FRESH_BUDGET, lastStep: 0, longestSaveMs: 0, stopSignal: null, stopReason: null },
  };
  nowMs = 0;
  effects: readonly Effect[] = [];
  readonly settings: MachineSettings;

  constructor(settings: Partial<MachineSettings> = {}) {
    this.settings = { ...SETTINGS, ...settings };
  }

  happen(happening: Happening): this {
    const event: MachineEvent = { ...happening, nowMs: this.nowMs };
    const step = transition(this.state, event, this.settings);
    this.state = step.state;
    this.effects = step.effects;
    return this;
  }

  /** Jumps to the machine's next deadline and lets it know. */
  passDeadline(): this {
    const deadlineMs = nextDeadlineMs(this.state, this.settings);
    if (deadlineMs === null) throw new Error(`${this.state.kind} waits for no deadline`);
    this.nowMs = Math.max(this.nowMs, deadlineMs);
    return this.happen({ type: 'time-passed' });
  }

  wait(ms: number): this {
    this.nowMs += ms;
    return this.happen({ type: 'time-passed' });
  }

  /** From opening to a training worker that resumed from `sequence`. */
  train(sequence: number | null = null, step = 0): this {
    if (this.state.kind === 'opening') this.happen({ type: 'no-orphan', unseenEnd: null });
    if (this.state.kind === 'backing-off') this.passDeadline();
    this.happen({ type: 'checkpoint-chosen', sequence, steppedBack: false, verified: null });
    return this.happen({ type: 'worker-connected', welcomed: false, phase: 'train', step, lastSaved: null });
  }

  /** The worker ends, its group empties, the evidence is read. */
  die(signal: NodeJS.Signals | null = 'SIGKILL', code: number | null = null, oomRecord: string | null = null): this {
    this.happen({ type: 'worker-ended', end: { code, signal, source: 'exit' } });
    this.happen({ type: 'group-gone' });
    return this.happen({ type: 'evidence-gathered', evidence: { stderrTail: [], oomRecord }, random: 0.5 });
  }

  steps(step: number): this {
    return this.happen({ type: 'progressed', phase: 'train', step, lastStepAgeMs: 0 });
  }

  saved(sequence: number, step: number, request: string | null = null, kinds: readonly string[] = ['auto']): this {
    this.happen({ type: 'save-started' });
    this.happen({ type: 'save-durable', request, sequence, step, tookMs: 100 });
    return this.happen({ type: 'checkpoint-verified', sequence, step, kinds });
  }

  has(type: Effect['type']): boolean {
    return this.effects.some((effect) => effect.type === type);
  }
}
