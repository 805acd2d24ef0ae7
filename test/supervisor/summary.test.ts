import { expect, test } from 'vitest';
import type { EventNamed, SupervisorEvent } from '../../src/supervisor/events.ts';
import { SummaryGatherer } from '../../src/supervisor/summary.ts';

const started = (sequence: number | null, step = 0): SupervisorEvent => ({
  ...{ name: 'training-started', attempt: 1, sequence, step, epoch: 0, backend: null, restoreMs: 1 },
});
const ended = (lastStep: number): EventNamed<'worker-ended'> => ({
  ...{ name: 'worker-ended', attempt: 1, class: 'killed', code: null, signal: 'SIGKILL', reason: '', hint: null },
  ...{ lastLines: [], lastStep },
});

function summaryOf(...events: readonly SupervisorEvent[]) {
  const gatherer = new SummaryGatherer();
  for (const [at, event] of events.entries()) gatherer.take(event, at * 1_000);
  return gatherer.summary(events.length * 1_000);
}

test('a crash before the first checkpoint costs all steps that were made', () => {
  expect(summaryOf(started(null), ended(105), started(null), ended(100))).toMatchObject({
    ...{ stepsLost: 105, attempts: 2, trainedMs: 2_000 },
  });
});

test('with a checkpoint the choice says what is lost, and only that', () => {
  const chosen: SupervisorEvent = {
    ...{ name: 'checkpoint-chosen', sequence: 1, step: 100, epoch: 1, reason: '', candidates: [], stepsLost: 9 },
    lostMs: null,
  };
  expect(summaryOf(started(null), ended(109), chosen, started(1, 100)).stepsLost).toBe(9);
});
