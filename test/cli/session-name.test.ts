import { expect, test } from 'vitest';
import { sessionNameOf } from '../../src/cli/session-name.ts';
import { World } from './world.ts';

test('a name is one line that means something, and not the word for the newest session', () => {
  for (const name of ['night', 'größer 2', '-x', '20261122', 'x'.repeat(100)]) expect(sessionNameOf(name)).toBe(name);
  expect(sessionNameOf(undefined)).toBeNull();
  for (const name of ['latest', '', '  ', 'a\nb', 'a\u001b[31mb', 'x'.repeat(101)]) {
    expect(() => sessionNameOf(name), name).toThrow(expect.objectContaining({ code: 'usage' }));
  }
});

test('run refuses it before anything is looked for or made', async () => {
  const { code, stderr } = await new World().cli(['run', '--name', 'latest', 'train.mjs']);
  expect([code, stderr]).toEqual([64, expect.stringContaining('See nkat-recover run --help.')]);
});
