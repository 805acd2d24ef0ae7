import { expect, test } from 'vitest';
import type { CheckpointEntry } from '../../../src/checkpoint/types.ts';
import { exitCodeOfFindings } from '../../../src/cli/commands/verify.ts';
import { findingOf, verifyJson, verifyWords } from '../../../src/cli/render/verify-words.ts';

const entry: CheckpointEntry = {
  path: '/runs/checkpoint_12',
  name: 'checkpoint_12',
  sequence: 12,
  step: 5,
  manifest: null,
  verified: false,
  place: 'session',
};
const damage = {
  file: 'tensors.safetensors',
  reason: 'chunk 3 (bytes 9 to 12) has another digest',
  tensors: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
  chunk: 3,
};

test('unreadable is not damaged: other words, another exit code', () => {
  const finding = findingOf(entry, { status: 'unreadable', errno: 'EIO', reason: 'i/o error' });
  if (finding === null) throw new Error('expected a finding');
  const text = verifyWords({ session: 's', level: 2, checked: 1, findings: [finding] })
    .map((line) => line.text)
    .join('\n');
  expect(text).toContain('EIO');
  expect(text).not.toContain('damaged');
  expect(exitCodeOfFindings([finding])).toBe(74);
  expect(verifyJson({ session: 's', level: 2, checked: 1, findings: [finding] })).toMatchObject({
    damaged: [],
    unreadable: [{ sequence: 12 }],
  });
});

test('damage is named by file, chunk and tensors, many tensors are counted', () => {
  const finding = findingOf(entry, { status: 'damaged', manifest: null, damages: [damage] });
  if (finding === null) throw new Error('expected a finding');
  const text = verifyWords({ session: 's', level: 1, checked: 3, findings: [finding] })
    .map((line) => line.text)
    .join('\n');
  for (const fact of [
    'Checkpoint 12',
    'tensors.safetensors, chunk 3 (bytes 9 to 12) has another digest (tensors a, b',
    'a, b, c, d, e and 2 more',
    '/runs/checkpoint_12',
    '3 checkpoints',
    'nkat-recover resume s',
  ]) {
    expect(text).toContain(fact);
  }
  expect(exitCodeOfFindings([finding])).toBe(65);
});

test('nothing found is nothing wrong', () => {
  expect(exitCodeOfFindings([])).toBe(0);
  expect(verifyWords({ session: 's', level: 0, checked: 1, findings: [] })[0]?.text).toContain('1 checkpoint checked');
});
