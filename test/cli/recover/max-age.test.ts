import { expect, test } from 'vitest';
import { World } from '../world.ts';

const OLD = '20261001_120000_aaaa';
const FRESH = '20261122_120000_bbbb';
const DAY_MS = 86_400_000;

/** Two that were interrupted: nine days ago, and just now. */
async function interrupted(...ids: readonly string[]): Promise<World> {
  const world = new World();
  for (const id of ids) {
    const updatedAt = new Date(Date.now() - (id === OLD ? 9 * DAY_MS : 1_000)).toISOString();
    const identity = { cwd: world.directory, trainer: `/nowhere/${id}.mjs`, args: [], name: null };
    await world.addSession(id, {
      row: { state: 'running', updatedAt, trainer: identity.trainer },
      file: { state: 'running', updatedAt, identity },
      steps: [1],
    });
  }
  return world;
}

test('what was interrupted long ago is left, and said with what brings it back', async () => {
  const world = await interrupted(OLD, FRESH);
  const shown = await world.cli(['recover', '--dry-run']);
  expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(new RegExp(`^${FRESH} `, 'm')) });
  expect(shown.stdout).toMatch(
    /^20261001_120000_aaaa \(\w+\) is left alone: it was last heard of 9 d ago, which is more than --max-age \(7 d\)\. To go on with it: nkat-recover resume 20261001_120000_aaaa$/m,
  );
  const asked = async (...args: readonly string[]) => {
    const { sessions, left } = JSON.parse((await world.cli(['recover', '--dry-run', '--json', ...args])).stdout);
    return [sessions, left].map((list) => list.map(({ session }: { session: string }) => session));
  };
  expect(await asked()).toEqual([[FRESH], [OLD]]);
  expect(await asked('--max-age', '10d')).toEqual([[OLD, FRESH], []]);
  expect(await asked('--max-age', 'none')).toEqual([[OLD, FRESH], []]);
  expect(await world.cli(['recover', '--max-age', '0s'])).toMatchObject({
    code: 64,
    stderr: expect.stringContaining('--max-age is "0s"'),
  });
});

test('a recovery that starts nothing says so too, also where it is told to be quiet', async () => {
  const world = await interrupted(OLD);
  const { code, stderr } = await world.cli(['recover', '--quiet']);
  expect(code).toBe(0);
  expect(stderr).toContain('nkat-recover resume 20261001_120000_aaaa');
});
