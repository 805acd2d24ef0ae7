import { expect, test } from 'vitest';
import type { RecoveryResult } from '../../../src/cli/recover/recover-events.ts';
import { exitCodeOfRecovery } from '../../../src/cli/recover/recovery-code.ts';

function results(...ends: readonly (readonly [outcome: string, exitCode: number])[]): RecoveryResult[] {
  return ends.map(([outcome, exitCode], at) => ({ session: `s${at}`, outcome, exitCode, message: null }));
}

test('0 where all have completed or are in other hands', () => {
  expect(exitCodeOfRecovery(results(['completed', 0], ['held', 73]), null)).toBe(0);
  expect(exitCodeOfRecovery([], null)).toBe(0);
});

test('the worst of several ends', () => {
  expect(exitCodeOfRecovery(results(['stopped-saved', 75], ['gave-up', 1]), null)).toBe(1);
  expect(exitCodeOfRecovery(results(['gave-up', 1], ['refused', 74]), null)).toBe(74);
  expect(exitCodeOfRecovery(results(['completed', 0], ['refused', 64]), null)).toBe(64);
});

test('stopped: 75 only where everything is saved', () => {
  expect(exitCodeOfRecovery(results(['completed', 0], ['stopped-saved', 75]), 'SIGTERM')).toBe(75);
  expect(exitCodeOfRecovery(results(['completed', 0], ['not-started', 75]), 'SIGTERM')).toBe(75);
  expect(exitCodeOfRecovery(results(['completed', 0]), 'SIGTERM')).toBe(0);
  expect(exitCodeOfRecovery(results(['stopped-saved', 75], ['stopped-unsaved', 143]), 'SIGTERM')).toBe(143);
  expect(exitCodeOfRecovery(results(['stopped-unsaved', 130]), 'SIGINT')).toBe(130);
});
