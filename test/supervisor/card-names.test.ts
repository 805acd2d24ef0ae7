import { expect, test } from 'vitest';
import type { GpuSample } from '../../src/gpu/sample.ts';
import { CardNames, type NamedCards } from '../../src/supervisor/card-names.ts';
import type { SupervisorEvent } from '../../src/supervisor/events.ts';

function rows(...names: readonly (string | null)[]): GpuSample[] {
  return names.map((name) => ({ values: { name, driverVersion: '550.1' } }) as unknown as GpuSample);
}

test('told once, again to each worker that connects, and where the cards are others; a lost card is no other one', () => {
  const sent: NamedCards[] = [];
  const names = new CardNames((cards) => sent.push(cards));
  const connected = { name: 'worker-connected' } as SupervisorEvent;
  names.take(connected);
  names.look([]);
  expect(sent).toEqual([]);
  names.look(rows('A', 'B', 'A'));
  names.look(rows('A', 'B', 'A'));
  names.look([]);
  expect(sent).toEqual([{ gpu: '2 x A, B', driver: '550.1' }]);
  names.take(connected);
  names.look(rows('A', null, 'A'));
  names.look(rows('A', 'A'));
  expect(sent.slice(1).map(({ gpu }) => gpu)).toEqual(['2 x A, B', '2 x A']);
});
