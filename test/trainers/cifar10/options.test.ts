import { expect, test } from 'vitest';
import { readOptions } from '../../../trainers/cifar10/options.ts';

test('defaults, and values of each sort', () => {
  expect(readOptions([])).toEqual({
    data: null,
    epochs: 30,
    batch: 128,
    width: 32,
    examples: 50_000,
    testExamples: 10_000,
    seed: 1,
    learningRate: 0.05,
    mixup: 0,
  });
  expect(readOptions(['--data', 'here', '--mixup', '0.2', '--seed', '0'])).toMatchObject({
    data: 'here',
    mixup: 0.2,
    seed: 0,
  });
});

test.each([
  [['--epochs', 'many'], "--epochs takes a whole number from 1, not 'many'"],
  [['--width', '0'], "--width takes a whole number from 1, not '0'"],
  [['--seed', ''], "--seed takes a whole number from 0, not ''"],
  [['--examples', '100'], '--examples 100 is less than one batch of 128'],
  [['--mixup', '2'], "--mixup takes a number from 0 to 1, not '2'"],
  [['--learning-rate', '0'], "--learning-rate takes a number over 0 to 10, not '0'"],
  [['--learning-rate', 'x'], "--learning-rate takes a number over 0 to 10, not 'x'"],
  [['--frobnicate'], "Unknown option '--frobnicate'"],
  [['stray'], 'Unexpected argument'],
])('%j is refused in words', (args, words) => {
  expect(() => readOptions(args)).toThrow(words);
});
