import type { EventNamed } from '../../../src/supervisor/events.ts';
import { FRESH_BUDGET } from '../../../src/words.ts';

/** A worker that crashed before its first step. */
export const ENDED: EventNamed<'worker-ended'> = {
  name: 'worker-ended',
  attempt: 1,
  class: 'error',
  code: 1,
  signal: null,
  reason: 'x',
  lastLines: [],
  lastStep: 0,
  budget: FRESH_BUDGET,
};
