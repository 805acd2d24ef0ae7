import { expect, test } from 'vitest';
import type { SupervisorEvent } from '../../../src/supervisor/events.ts';
import { FailingSaves } from '../../../src/supervisor/warnings/failing-saves.ts';

test('each sort of failure once from the onset to the first durable checkpoint, and again at the next onset', () => {
  const told: SupervisorEvent[] = [];
  const saves = new FailingSaves((event) => told.push(event));
  const fail = (code: string, kinds = ['auto']): void => {
    saves.failed({ code, kinds, message: 'why', hint: 'Mount it' });
  };
  saves.durable(1, 1);
  for (const code of ['superseded', 'no-space', 'read-back', 'io', 'io', 'read-back', 'io']) fail(code);
  fail('io', ['manual']);
  saves.durable(2, 20);
  saves.durable(3, 30);
  fail('io', ['auto', 'best']);
  const warning = (code: string) => ({
    name: 'warning',
    code: 'saves-failing',
    message: `Saves fail (${code}): why. Training goes on, and each next save is tried`,
    hint: 'Mount it',
  });
  expect(told).toEqual([
    warning('read-back'),
    warning('io'),
    {
      name: 'warning-ended',
      code: 'saves-failing',
      message: 'Saves work again: checkpoint 2 of step 20 is durable',
    },
    warning('io'),
  ]);
});
