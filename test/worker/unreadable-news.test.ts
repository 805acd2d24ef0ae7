import { expect, test } from 'vitest';
import { UnreadableNews } from '../../src/worker/thread/unreadable-news.ts';

test('a checkpoint that cannot be read and stays is told once, whatever is saved after it', () => {
  const said: string[] = [];
  const news = new UnreadableNews((message) => said.push(message));
  const second = { sequence: 2, reason: 'EACCES: permission denied' };
  news.take([second]);
  news.take([second, { sequence: 3, reason: 'EIO: i/o error' }]);
  news.take([]);
  news.take([second]);
  expect(said).toEqual([
    'Checkpoint 2 would be rotated away by now, but cannot be read (EACCES: permission denied): it stays until it can',
    'Checkpoint 3 would be rotated away by now, but cannot be read (EIO: i/o error): it stays until it can',
  ]);
});
