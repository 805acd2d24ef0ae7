/** The figures of the end are sums of what was told on the way. */
import { expect, test } from 'vitest';
import type { EventNamed, SupervisorEvent } from '../../src/supervisor/events.ts';
import { SummaryGatherer } from '../../src/supervisor/summary.ts';
import { FRESH_BUDGET } from '../../src/words.ts';
import { chosen as CHOSEN, saveFacts } from '../cli/render/events.ts';

const started = (sequence: number | null, step = 0): SupervisorEvent => ({
  ...{ name: 'training-started', attempt: 1, sequence, step, epoch: 0, backend: null, restoreMs: 1 },
});
const ended = (lastStep: number): EventNamed<'worker-ended'> => ({
  ...{ name: 'worker-ended', attempt: 1, class: 'killed', code: null, signal: 'SIGKILL', reason: '', hint: null },
  ...{ lastLines: [], lastStep, budget: FRESH_BUDGET },
});

const saved = (sequence: number): SupervisorEvent => ({ name: 'saved', ...saveFacts, sequence });

function summaryOf(...events: readonly SupervisorEvent[]) {
  const gatherer = new SummaryGatherer();
  for (const [at, event] of events.entries()) gatherer.take(event, at * 1_000);
  return gatherer.summary(events.length * 1_000);
}

test('a crash before the first checkpoint costs all steps that were made', () => {
  expect(summaryOf(started(null), ended(105), started(null), ended(100))).toMatchObject({
    ...{ stepsLost: 105, workLostMs: 1_000, attempts: 2, trainedMs: 2_000 },
  });
});

test('with a checkpoint the choice says what is lost, and only that', () => {
  const chosen: SupervisorEvent = {
    ...{ name: 'checkpoint-chosen', sequence: 1, step: 100, epoch: 1, reason: '', candidates: [], stepsLost: 9 },
    lostMs: null,
  };
  expect(summaryOf(started(null), ended(109), chosen, started(1, 100)).stepsLost).toBe(9);
});

test('what the newest launch went on from, and that its worker was adopted', () => {
  expect(summaryOf(started(null))).toMatchObject({ adopted: false, wentOnFrom: null });
  const { sequence, epoch, step } = CHOSEN;
  const connected: SupervisorEvent = { name: 'worker-connected', attempt: 1, pid: 1, adopted: true };
  expect(summaryOf(CHOSEN, connected)).toMatchObject({ adopted: true, wentOnFrom: { sequence, epoch, step } });
});

test('work that is lost is the sum of what each choice of a checkpoint told, standing still is another thing', () => {
  const gatherer = new SummaryGatherer();
  gatherer.take(CHOSEN, 0);
  gatherer.take({ name: 'recovered', attempt: 2, step: 3202, downMs: 800 }, 0);
  gatherer.take({ ...CHOSEN, stepsLost: 7, lostMs: 3_000 }, 0);
  gatherer.take({ ...CHOSEN, stepsLost: 0, lostMs: null }, 0);
  expect(gatherer.summary(0)).toMatchObject({ stepsLost: 20, workLostMs: 17_000, lostMs: 800 });
});

test('what was set aside, quarantined or passed over is not the last checkpoint of a run', () => {
  const saves = [saved(4), saved(5), saved(6)];
  const last = (...events: readonly SupervisorEvent[]) => summaryOf(...saves, ...events).lastCheckpoint?.sequence;
  expect(last()).toBe(6);
  expect(last({ name: 'checkpoint-set-aside', sequence: 6, reason: '' })).toBe(5);
  expect(last({ name: 'checkpoint-quarantined', sequence: 6, to: '/q', reason: '' })).toBe(5);
  expect(last({ ...CHOSEN, sequence: 4 })).toBe(4);
  expect(last({ ...CHOSEN, sequence: 3 })).toBeUndefined();
  expect(last({ ...CHOSEN, sequence: 4 }, saved(7))).toBe(7);
});
