import { expect, test } from 'vitest';
import { loadData } from '../../../trainers/cifar10/data.ts';

test('fewer images than one batch are refused, also where more were asked for', () => {
  const refused = () => loadData({ data: null, examples: 70_000, testExamples: 1, batch: 60_001 });
  expect(refused).toThrow('there are 60000 training images, less than one batch of 60001');
});
