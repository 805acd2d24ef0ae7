import { expect, test } from 'vitest';
import { parseInjections } from '../../../src/drill/inject/injections.ts';

test('every fault, with the cards of gpus between commas', () => {
  const text = 'corrupt-newest,kill,disk-full,memory=1G,gpus=0,2,3,random-kill=60s';
  expect(parseInjections(text)).toEqual([
    { name: 'corrupt-newest', injection: { kind: 'corrupt-newest' } },
    { name: 'kill', injection: { kind: 'kill' } },
    { name: 'disk-full', injection: { kind: 'disk-full' } },
    { name: 'memory=1G', injection: { kind: 'memory', bytes: 1e9 } },
    { name: 'gpus=0,2,3', injection: { kind: 'gpus', indices: [0, 2, 3] } },
    { name: 'random-kill=60s', injection: { kind: 'random-kill', ms: 60_000 } },
  ]);
  expect(parseInjections('gpu-lost').map(({ injection }) => injection.kind)).toEqual(['gpu-lost']);
});

test.each([
  '',
  'nonsense',
  'kill=3',
  'memory',
  'memory=0',
  'memory=1Q',
  'gpus=',
  'gpus=a',
  'random-kill=soon',
  'random-kill=0s',
  'kill,kill',
  'gpus=0,gpu-lost',
  'kill,2',
])('%j is refused', (text) => {
  expect(() => parseInjections(text)).toThrow(/--inject/);
});
