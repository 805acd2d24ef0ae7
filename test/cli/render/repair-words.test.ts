/** What a repair says: each sentence ends once. */
import { expect, test } from 'vitest';
import { findingLine, repairSummary } from '../../../src/cli/render/repair-words.ts';

const FOUND = { what: 'session-unreadable', path: '/runs/a', fixed: null } as const;

test.each([
  ['it cannot be read', '/runs/a: it cannot be read.'],
  ['It cannot be read.', '/runs/a: It cannot be read.'],
  ['is its disk mounted?', '/runs/a: is its disk mounted?'],
])('what nothing can be done about: %s', (message, text) => {
  expect(findingLine({ ...FOUND, message }).text).toBe(text);
});

test('what was done stands in a sentence of its own', () => {
  const text = findingLine({ ...FOUND, message: 'The record is lost.', fixed: 'made again.' }).text;
  expect(text).toBe('/runs/a: The record is lost. Made again.');
});

test('where nothing was found it says what was looked at, and what was not', () => {
  const { text } = repairSummary({ sessions: 2, findings: [] }, false);
  expect(text).toMatch(/^2 sessions looked at: records and index are in order\. .*nkat-recover verify --all/);
});
