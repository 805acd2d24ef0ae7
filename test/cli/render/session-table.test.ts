import { expect, test } from 'vitest';
import { paintWith } from '../../../src/cli/render/paint.ts';
import { sessionTable } from '../../../src/cli/render/session-table.ts';
import type { SessionRow } from '../../../src/sessions/types.ts';
import { FRESH_BUDGET } from '../../../src/words.ts';
import { sessionRow } from '../../sessions/rows.ts';

function lineOf(changes: Partial<SessionRow>): string {
  const row = sessionRow('20261122_120000_aaaa', changes);
  const present = { state: row.state, ownerPid: null, workerAlive: false };
  return sessionTable([{ row, present }], null, 0, paintWith(false))[1] ?? '';
}

test('steps of their total, or what the work says of itself: percent and stage', () => {
  expect(lineOf({ step: 7, totalSteps: 90 })).toContain(' 7/90 ');
  expect(lineOf({ step: 7, report: { percent: 62.4, stage: null, results: {} } })).toMatch(/ 62 % /);
  const staged = lineOf({ step: 7, totalSteps: 90, report: { percent: 62.4, stage: 'simulating', results: {} } });
  expect(staged).toContain(' 62 % simulating ');
  expect(staged).not.toContain('7/90');
  const long = lineOf({ report: { percent: 1, stage: `adding\u001b[2J up ${'x'.repeat(99)}`, results: {} } });
  expect(long).toMatch(/ 1 % adding up x+… /);
});

test('restarts are those that the tool made, whatever number the attempt has', () => {
  const restarts = (changes: Partial<SessionRow>): string => {
    const row = sessionRow('20261122_120000_aaaa', { attempts: 7, checkpoints: 5, ...changes });
    const present = { state: row.state, ownerPid: null, workerAlive: false };
    const [header = '', line = ''] = sessionTable([{ row, present }], null, 0, paintWith(false));
    const end = header.indexOf('RESTARTS') + 'RESTARTS'.length;
    return line.slice(end - 'RESTARTS'.length, end).trim();
  };
  expect(restarts({ budget: { ...FRESH_BUDGET, restarts: 9, relaunches: 2 } })).toBe('2');
  expect(restarts({ budget: FRESH_BUDGET })).toBe('0');
  const { relaunches: _, ...before } = FRESH_BUDGET;
  expect(restarts({ budget: { ...before, restarts: 3 } })).toBe('3');
  expect(restarts({ budget: null })).toBe('0');
});
