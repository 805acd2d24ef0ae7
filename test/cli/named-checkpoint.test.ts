/** `resume --from`: a slip of the pen is told with its cause, and changes nothing. */
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import type { StoreLayout } from '../../src/checkpoint/layout.ts';
import { quarantineCheckpoint } from '../../src/checkpoint/quarantine.ts';
import { locateSession } from '../../src/cli/located-session.ts';
import { namedCheckpoint } from '../../src/cli/named-checkpoint.ts';
import { ownWatch } from '../../src/cli/session-state.ts';
import { openSessions } from '../../src/sessions/open.ts';
import { World } from './world.ts';

const A = '20261122_120000_aaaa';
const B = '20261122_130000_bbbb';

let world: World;
let layout: StoreLayout;
beforeEach(async () => {
  world = new World();
  layout = await world.addSession(A, { steps: [10, 20, 30] });
});

async function named(word: string): Promise<number | string> {
  const { database } = openSessions(world.home.database);
  try {
    const row = database.sessions.find(A);
    if (row === null) throw new Error('the session of the test is not in the index');
    return await namedCheckpoint(nodeFiles, await locateSession(nodeFiles, row, ownWatch()), word, world.directory);
  } finally {
    database.close();
  }
}

const checkpoint = (step: number, sequence: number): string =>
  join(layout.directory, `checkpoint_${A}_${step}_${sequence}`);

test('a number, a path, a path from here and a link name a checkpoint of the session', async () => {
  await expect(named('2')).resolves.toBe(2);
  await expect(named(checkpoint(10, 1))).resolves.toBe(checkpoint(10, 1));
  await expect(named(`${checkpoint(10, 1).slice(world.directory.length + 1)}/`)).resolves.toBe(checkpoint(10, 1));
  symlinkSync(checkpoint(20, 2), join(world.directory, 'that one'));
  await expect(named('that one')).resolves.toBe(checkpoint(20, 2));
});

test.each(['', ' ', '-1', '+1', '1.5', '1,5', '12345678901234567'])('%j means nothing: usage', async (word) => {
  await expect(named(word)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('accepted is the sequence number') as string,
  });
});

test('a number that there is not is told with those that there are', async () => {
  await expect(named('9')).rejects.toMatchObject({
    code: 'checkpoint-not-found',
    message: `session ${A} has no checkpoint 9; there are 3 (step 30), 2 (step 20), 1 (step 10)`,
    hint: `What the session has: nkat-recover show ${A}`,
  });
  await expect(named('0')).rejects.toMatchObject({ code: 'checkpoint-not-found' });
});

test('of paths it is told what stands there instead', async () => {
  const refused = async (word: string, message: string): Promise<void> =>
    expect(named(word)).rejects.toMatchObject({
      code: 'checkpoint-not-found',
      message: expect.stringContaining(message) as string,
    });
  await refused('nothing-here', 'there is nothing at this path; there are 3 (step 30)');
  await refused(`${world.home.database}/x`, 'there is nothing at this path');
  await refused('.', 'this is no checkpoint');
  await refused('/dev/null', 'this is no checkpoint');
  await refused(layout.directory, 'this is no checkpoint');
  const other = await world.addSession(B, { steps: [10] });
  await refused(join(other.directory, `checkpoint_${B}_10_1`), `belongs to session ${B}`);
  cpSync(checkpoint(30, 3), join(world.directory, 'copy'), { recursive: true });
  await refused('copy', 'lies outside of the folders of its session');
});

test('what is in quarantine is damaged, by number and by path', async () => {
  const at = await quarantineCheckpoint(nodeFiles, layout, checkpoint(20, 2), 'a bit flipped');
  await expect(named('2')).rejects.toMatchObject({
    code: 'checkpoint-damaged',
    message: expect.stringContaining('in quarantine: a bit flipped; there are 3 (step 30), 1 (step 10)') as string,
  });
  await expect(named(at)).rejects.toMatchObject({ code: 'checkpoint-damaged' });
});

test('a session without checkpoints has none, and one whose folder is away is left to be told as that', async () => {
  renameSync(layout.directory, `${layout.directory}-away`);
  await expect(named('9')).resolves.toBe(9);
  mkdirSync(layout.directory);
  await expect(named('9')).rejects.toMatchObject({ message: expect.stringContaining('; it has none') as string });
});

test('a wrong --from claims nothing, says nothing of continuing, and names cause and command', async () => {
  writeFileSync(join(world.directory, 'train.mjs'), '');
  const owners = join(layout.directory, 'owners');
  const before = [readdirSync(owners), readFileSync(join(layout.directory, 'session.json'), 'utf8')];
  const missing = await world.cli(['resume', A, '--from', '999']);
  expect(missing).toMatchObject({ code: 66, stdout: '' });
  expect(missing.stderr).toContain('has no checkpoint 999');
  expect(missing.stderr).toContain(`nkat-recover show ${A}`);
  const slip = await world.cli(['resume', A, '--from', '-1', '--json']);
  expect(slip.code).toBe(64);
  expect(JSON.parse(slip.stdout)).toMatchObject({ error: { code: 'usage' } });
  for (const { stderr } of [missing, slip]) expect(stderr).not.toContain('continued');
  expect([readdirSync(owners), readFileSync(join(layout.directory, 'session.json'), 'utf8')]).toEqual(before);
});
