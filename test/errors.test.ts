/** Errors of the system by their names, also those that Node has none for. */
import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { storeError, takesNoWrites } from '../src/checkpoint/store-error.ts';
import { errnoOf, messageOf } from '../src/errors.ts';
import { isShortage, tellsOfFullDisk } from '../src/supervisor/machine/shortage.ts';

/** As Node makes them of a number that libuv has no name for. */
function unnamed(number: number): Error {
  const code = `Unknown system error -${number}`;
  return Object.assign(new Error(`${code}: ${code}, write`), { errno: -number, code, syscall: 'write' });
}

test('a full quota is no room, whatever Node calls it', () => {
  const error = unnamed(constants.errno.EDQUOT);
  expect(errnoOf(error)).toBe('EDQUOT');
  expect(messageOf(error)).toBe('EDQUOT: disk quota exceeded, write');
  expect(takesNoWrites(error)).toBe(true);
  expect(isShortage(errnoOf(error))).toBe(true);
  expect(storeError(error, 'save', '/d')).toMatchObject({
    code: 'no-space',
    message: 'The quota is full: EDQUOT: disk quota exceeded, write',
    hint: expect.stringContaining('quota'),
  });
  if (process.platform === 'linux') expect(tellsOfFullDisk([`Error: ${error.message}`])).toBe(true);
});

test('a mistake of the program is no trouble of a disk, whichever operation of the store it stops', () => {
  const mistakes = [new TypeError('x is undefined'), new ReferenceError('y is not defined')];
  expect(mistakes.map((mistake) => storeError(mistake, 'save', '/d').code)).toEqual(['internal', 'internal']);
  expect(storeError(mistakes[0], 'save', '/d')).toMatchObject({ cause: mistakes[0] });
  expect(storeError(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }), 'save', '/d').code).toBe('io');
});

test('other errors keep their names, and a number without one stays as it is', () => {
  expect(errnoOf(Object.assign(new Error('no'), { code: 'ENOENT' }))).toBe('ENOENT');
  expect(errnoOf(unnamed(constants.errno.ESTALE))).toBe('ESTALE');
  expect(errnoOf(unnamed(99_999))).toBe('Unknown system error -99999');
  expect(errnoOf(new Error('no'))).toBeNull();
  expect(messageOf(unnamed(99_999))).toContain('-99999');
  expect(messageOf('words')).toBe('words');
});
