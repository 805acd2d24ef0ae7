/** What a worker's report changes in ledger and launch, whatever the state: reports may still come after its end. */
import type { MachineEvent } from './event.ts';
import { creditProgress, progressOf } from './restart-policy.ts';
import type { Launch, Ledger } from './state.ts';

interface Noted {
  readonly ledger: Ledger;
  readonly launch: Launch;
}

/** @returns the same objects when the event says nothing about them. */
export function note({ ledger, launch }: Noted, event: MachineEvent, request: string | null = null): Noted {
  switch (event.type) {
    case 'worker-connected':
      return {
        ledger: raise(ledger, event.step),
        launch: { ...launch, connected: true, ...(event.adaptsBatch === true ? { adaptsBatch: true } : {}) },
      };
    case 'resume-changed':
      return { ledger, launch: { ...launch, resumedFrom: event.sequence } };
    case 'progressed':
      return { ledger: raise(ledger, event.step), launch };
    case 'save-durable':
      return {
        ledger: { ...raise(ledger, event.step), longestSaveMs: Math.max(ledger.longestSaveMs, event.tookMs) },
        launch: {
          ...launch,
          lastSaved: { sequence: event.sequence, verified: false },
          confirmed: request !== null && event.request === request ? event.sequence : launch.confirmed,
        },
      };
    case 'checkpoint-verified': {
      const budget = creditProgress(ledger.budget, event.step, progressOf(event.kinds), launch.attempt);
      const isLast = launch.lastSaved?.sequence === event.sequence;
      return {
        ledger: { ...ledger, budget },
        launch: {
          ...launch,
          lastSaved: isLast ? { sequence: event.sequence, verified: true } : launch.lastSaved,
        },
      };
    }
    case 'save-failed':
      return request === null || event.request !== request
        ? { ledger, launch }
        : { ledger, launch: { ...launch, stopFailure: `${event.code}: ${event.message}` } };
    case 'diverged':
      return {
        ledger: raise(ledger, event.step),
        launch: { ...launch, diverged: { step: event.step, loss: event.loss, adapts: event.adapts } },
      };
    case 'worker-done':
      return { ledger, launch: { ...launch, done: true } };
    default:
      return { ledger, launch };
  }
}

function raise(ledger: Ledger, step: number): Ledger {
  return step > ledger.lastStep ? { ...ledger, lastStep: step } : ledger;
}
