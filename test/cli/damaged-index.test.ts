/** An index that proves damaged while it is read: the command answers all the same. */
import { closeSync, mkdirSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openSessions } from '../../src/sessions/open.ts';
import { counter, testInWorld } from '../process/rig.ts';
import { sessionRow } from '../sessions/rows.ts';

testInWorld('list and run on a large database with a damaged half', async ({ world }) => {
  mkdirSync(world.home);
  const path = join(world.home, 'sessions.db');
  const { database } = openSessions(path);
  // Past the size up to which every opening checks the whole file.
  await database.write(({ sessions }) => {
    for (let i = 0; i < 3000; i += 1) sessions.upsert(sessionRow(`s${i}`, { args: ['x'.repeat(2000)] }));
  });
  database.close();
  const damage = (): void => {
    const file = openSync(path, 'r+');
    for (let at = 524_288; at < statSync(path).size; at += 4096) writeSync(file, Buffer.alloc(4096, 0x5a), 0, 4096, at);
    closeSync(file);
  };
  const done = counter(['--epochs', '1', '--steps-per-epoch', '3']);
  damage();
  const list = await world.start(['list', '--json']).ended(0);
  expect(JSON.parse(list.stdout)).toMatchObject({ sessions: [] });
  expect(list.stderr).toContain('rebuilt from the checkpoints');
  expect(list.stderr).not.toContain('passed over');
  await world.run(done).ended(0);
  expect(await world.query(['list'])).toMatchObject({ sessions: [{ state: 'completed' }] });
  expect(readdirSync(world.home).filter((name) => /damaged-\w+$/.test(name))).toHaveLength(1);
});
