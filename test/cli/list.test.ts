import { expect, test } from 'vitest';
import { World } from './world.ts';

async function worldOf(sessions: number): Promise<World> {
  const world = new World();
  for (let n = 0; n < sessions; n += 1) {
    const minute = String(n).padStart(2, '0');
    const createdAt = `2026-11-22T12:${minute}:00.000Z`;
    await world.addSession(`20261122_12${minute}00_aaaa`, { file: { createdAt } });
  }
  return world;
}

test('list shows the newest, says how many it leaves out, and --all and --json leave out none', async () => {
  const world = await worldOf(3);
  const two = await world.cli(['list', '--limit', '2']);
  expect(two.stdout.trimEnd().split('\n')).toHaveLength(3);
  expect(two.stdout).toContain('20261122_120200_aaaa');
  expect(two.stdout).not.toContain('20261122_120000_aaaa');
  expect(two.stderr).toContain('1 older session not shown: nkat-recover list --all');
  const all = await world.cli(['list', '--all']);
  expect(all.stdout.trimEnd().split('\n')).toHaveLength(4);
  expect(all.stderr).toBe('');
  const json = JSON.parse((await world.cli(['list', '--json'])).stdout);
  expect(json).toMatchObject({ version: 1, total: 3 });
  expect(json.sessions).toHaveLength(3);
  expect(JSON.parse((await world.cli(['list', '--json', '--limit', '1'])).stdout).sessions).toHaveLength(1);
});

test('a limit that is none is wrong usage', async () => {
  const world = await worldOf(0);
  for (const args of [
    ['--limit', '0'],
    ['--limit', 'x'],
    ['--limit', '1', '--all'],
  ]) {
    expect((await world.cli(['list', ...args])).code).toBe(64);
  }
});
