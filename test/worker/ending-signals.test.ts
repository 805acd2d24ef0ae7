import { expect, test } from 'vitest';
import { endingSignals, exitCodeAfter } from '../../src/worker/ending-signals.ts';

test('Windows ends whoever has no handler for Ctrl-Break or a closed console: both are handled, with a terminal or without', () => {
  expect(endingSignals('win32')).toEqual({ always: ['SIGINT', 'SIGTERM', 'SIGBREAK', 'SIGHUP'], withTerminal: [] });
});

test('elsewhere there is no Ctrl-Break, and SIGHUP without a terminal is for nohup', () => {
  expect(endingSignals('linux')).toEqual({ always: ['SIGINT', 'SIGTERM'], withTerminal: ['SIGHUP'] });
});

test('the codes are those of a shell, also of a signal that this system does not have', () => {
  expect((['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGBREAK'] as const).map(exitCodeAfter)).toEqual([129, 130, 143, 149]);
});
