import { expect, test } from 'vitest';
import type { SupervisorEvent } from '../../src/supervisor/events.ts';
import { OnsetWarnings } from '../../src/supervisor/onset-warnings.ts';

test('each warning once from its onset to its end, and again at the next onset', () => {
  const told: SupervisorEvent[] = [];
  const warnings = new OnsetWarnings((event) => told.push(event));
  warnings.end('a', 'never began');
  for (let time = 0; time < 5; time++) warnings.begin('a', 'bad', 'do this');
  warnings.begin('b', 'worse', null);
  for (let time = 0; time < 5; time++) warnings.end('a', 'good');
  warnings.begin('a', 'bad again', null);
  expect(told.map((event) => `${event.name} ${'code' in event ? event.code : ''}`)).toEqual([
    'warning a',
    'warning b',
    'warning-ended a',
    'warning a',
  ]);
});
