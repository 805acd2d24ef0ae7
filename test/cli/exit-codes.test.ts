import { expect, test } from 'vitest';
import { EXIT_CODES, exitCodeOfError, exitCodeOfOutcome, exitCodesHelp } from '../../src/cli/exit-codes.ts';

test('every code of the design is there once', () => {
  expect(EXIT_CODES.map(({ code }) => code)).toEqual([0, 1, 64, 65, 66, 69, 70, 73, 74, 75, 78, 93, 130, 143]);
  expect(new Set(EXIT_CODES.map(({ word }) => word)).size).toBe(EXIT_CODES.length);
  for (const { code, meaning } of EXIT_CODES) expect(exitCodesHelp()).toContain(`${code}  ${meaning}`);
});

test.each([
  ['completed', 0],
  ['gave-up', 1],
  ['diverged', 1],
  ['config-error', 78],
  ['fatal', 93],
  ['stopped-saved', 75],
  ['no-checkpoint', 65],
  ['store-missing', 74],
  ['unkillable', 70],
  ['internal', 70],
] as const)('a session that ended %s exits with %i', (outcome, code) => {
  expect(exitCodeOfOutcome(outcome, 'SIGINT')).toBe(code);
});

test('without a confirmed save the signal decides', () => {
  expect(exitCodeOfOutcome('stopped-unsaved', 'SIGINT')).toBe(130);
  expect(exitCodeOfOutcome('stopped-unsaved', 'SIGTERM')).toBe(143);
  expect(exitCodeOfOutcome('stopped-unsaved', 'SIGHUP')).toBe(143);
});

test.each([
  ['usage', 64],
  ['configuration', 78],
  ['session-not-found', 66],
  ['session-held', 73],
  ['no-verified-checkpoint', 65],
  ['store-missing', 74],
  ['io', 74],
  ['internal', 70],
] as const)('a refusal %s exits with %i', (error, code) => {
  expect(exitCodeOfError(error)).toBe(code);
});
