import { expect, test } from 'vitest';
import { environmentSlips } from '../../src/config/environment-slips.ts';
import { findFile } from '../../src/config/find-file.ts';
import { nearestWord } from '../../src/config/nearest.ts';

function find(present: readonly string[], trainer: string | null = '/p/pkg/train/a.ts', cwd = '/w') {
  return findFile(trainer, cwd, (path) => present.includes(path));
}

test('the nearest file upwards within the repository counts, then that of the working folder', () => {
  const all = [
    '/p/.git',
    '/p/pkg/package.json',
    '/p/pkg/train/nkat-recover.yaml',
    '/p/nkat-recover.json',
    '/w/nkat-recover.yml',
  ];
  expect(find(all)).toEqual({
    path: '/p/pkg/train/nkat-recover.yaml',
    passedOver: ['/p/nkat-recover.json', '/w/nkat-recover.yml'],
    outside: [],
  });
  expect(find(all.filter((path) => !path.includes('/train/'))).path).toBe('/p/nkat-recover.json');
  expect(find(['/p/.git', '/w/nkat-recover.yml'])).toMatchObject({ path: '/w/nkat-recover.yml', passedOver: [] });
  expect(find([])).toEqual({ path: null, passedOver: [], outside: [] });
});

test('nothing above the project counts, and is named: without a repository its package is the root, without both its own folder', () => {
  expect(find(['/p/.git', '/nkat-recover.yaml'])).toEqual({
    path: null,
    passedOver: [],
    outside: ['/nkat-recover.yaml'],
  });
  expect(find(['/p/pkg/package.json', '/p/pkg/nkat-recover.yaml', '/p/nkat-recover.yaml'])).toEqual({
    path: '/p/pkg/nkat-recover.yaml',
    passedOver: [],
    outside: ['/p/nkat-recover.yaml'],
  });
  expect(find(['/p/pkg/nkat-recover.yaml']).path).toBeNull();
  expect(find(['/p/pkg/train/nkat-recover.yaml']).path).toBe('/p/pkg/train/nkat-recover.yaml');
});

test('without a trainer only the working folder counts, and a folder that is both counts once', () => {
  expect(find(['/w/nkat-recover.yaml'], null).path).toBe('/w/nkat-recover.yaml');
  expect(find(['/w/nkat-recover.yaml'], '/w/a.ts')).toMatchObject({ path: '/w/nkat-recover.yaml', passedOver: [] });
});

test('two files side by side are refused', () => {
  expect(() => find(['/w/nkat-recover.yaml', '/w/nkat-recover.json'])).toThrow('side by side');
});

test.each([
  ['maxRestart', 'maxRestarts'],
  ['MAX_RESTARTS', 'maxRestarts'],
  ['kepe', 'keep'],
  ['restart', null],
  ['k', null],
  ['', null],
  ['x'.repeat(10_000), null],
])('the word nearest to %s is %s', (word, nearest) => {
  expect(nearestWord(word, ['keep', 'maxRestarts', 'backoff'])).toBe(nearest);
});

test('a variable that looks like a misspelt setting is told, one of a trainer or of ours is not', () => {
  const ours = { NKAT_HOME: '/h', NKAT_KEEP: '3', NKAT_SESSION: 's', NKAT_PROFILE: 'a', NKAT_CONFIG: 'b' };
  expect(environmentSlips({ ...ours, PATH: '/bin', NKAT_FANCY_FEATURE: '1', NKAT_KEPE: '' })).toEqual([]);
  expect(environmentSlips({ ...ours, NKAT_SAVE_EVRY: '1m', NKAT_KEPE: '3', nkat_keep: '3' })).toEqual([
    { name: 'NKAT_KEPE', nearest: 'NKAT_KEEP' },
    { name: 'NKAT_SAVE_EVRY', nearest: 'NKAT_SAVE_EVERY' },
    { name: 'nkat_keep', nearest: 'NKAT_KEEP' },
  ]);
});
