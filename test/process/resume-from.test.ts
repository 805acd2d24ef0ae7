/** `resume --from`, `resume -- ARGS` and `--take-over` on real runs. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { counter, type Run, World } from './rig.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const LINE = ['--epochs', '2', '--steps-per-epoch', '20'];

async function completed(): Promise<Run> {
  const run = world.run(counter(LINE), ['--save-every-steps', '10', '--keep', '20', '--name', 'it']);
  await run.ended(0);
  return run;
}

const resume = (...args: readonly string[]): Run => world.start(['resume', 'it', '--json', ...args]);

test('--from an older one, then a crash before the first new save: the branch that was left is not taken', async () => {
  const run = await completed();
  const old = run.named('saved').find(({ step }) => step === 10);
  const newest = run.named('saved').at(-1)?.sequence ?? 0;
  const crash = ['--throw-at-step', '15', '--once', join(world.directory, 'once')];
  const again = resume('--from', String(old?.sequence), '--save-every-steps', '10', '--', ...LINE, ...crash);
  await again.ended(0);
  expect(again.named('worker-ended')[0]).toMatchObject({ class: 'error' });
  expect(again.named('training-started').map(({ step }) => step)).toEqual([10, 10]);
  expect(again.named('checkpoint-set-aside').map(({ sequence }) => sequence)).toContain(newest);
  const last = again.named('session-ended')[0]?.summary.lastCheckpoint;
  expect(last).toMatchObject({ step: 40 });
  expect(last?.sequence).toBeGreaterThan(newest);
  // Asked for by name, what was left is taken again.
  const back = resume('--from', String(newest));
  await back.ended(0);
  expect(back.named('checkpoint-chosen')[0]).toMatchObject({ sequence: newest, step: 40 });
});

test('--from takes a path and a backup of the best; a damaged and a missing one are refused by name', async () => {
  const run = await completed();
  const first = run.named('saved')[0];
  const { backups = '' } = run.named('session-opened')[0] ?? {};
  const backup = readdirSync(backups).find((name) => name.startsWith('best_')) ?? '';
  const best = resume('--from', join(backups, backup), '--', '--epochs', '2', '--steps-per-epoch', '20');
  await best.ended(0);
  expect(best.named('checkpoint-chosen')[0]?.sequence).toBe(Number(backup.split('_').at(-1)));

  // A slip of the pen changes nothing, though it names other arguments and a fresh start too: it is completed as before.
  const slip = resume('--from', '999', '--allow-fresh', '--', '--epochs', '77');
  await slip.ended(66);
  expect(slip.stdout).toContain('has no checkpoint 999; there are');
  expect(slip.named('session-opened')).toEqual([]);
  const { sessions } = (await world.query(['list'])) as { sessions: object[] };
  expect(sessions).toMatchObject([{ state: 'completed', args: ['--epochs', '2', '--steps-per-epoch', '20'] }]);
  const again = world.start(['resume', 'it']);
  await again.ended(0);
  expect(again.stderr).toContain('has completed');

  const path = first?.path ?? '';
  const tensors = join(path, 'tensors.safetensors');
  const bytes = readFileSync(tensors);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 0xff;
  writeFileSync(tensors, bytes);
  const damaged = resume('--from', path);
  await damaged.ended(65);
  expect(damaged.named('session-ended')[0]?.reason).toMatch(/damaged.*there are also/);
  expect(damaged.named('session-ended')[0]?.hint).toContain('as it was');
  expect(damaged.named('attempt-started')).toEqual([]);
});

test('a completed session is extended with other arguments', async () => {
  const run = await completed();
  const longer = resume('--', '--epochs', '3', '--steps-per-epoch', '20');
  await longer.ended(0);
  expect(longer.named('training-started')[0]).toMatchObject({ step: 40 });
  expect(longer.named('session-ended')[0]?.summary.lastCheckpoint).toMatchObject({ step: 60 });
  expect(longer.named('session-opened')[0]?.session).toBe(run.named('session-opened')[0]?.session);
});

test('--take-over overrules an owner elsewhere, never a living one here', async () => {
  const run = await completed();
  const { directory = '' } = run.named('session-opened')[0] ?? {};
  const owners = join(directory, 'owners');
  const newest = Math.max(
    ...readdirSync(owners)
      .flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? [])
      .map(Number),
  );
  const owner = JSON.parse(readFileSync(join(owners, `${newest}.json`), 'utf8')) as object;
  const place = { machineId: 'another', bootId: 'another', host: 'far-away', pid: process.pid };
  writeFileSync(join(owners, `${newest + 1}.json`), JSON.stringify({ ...owner, ...place, claim: newest + 1 }));
  const more = ['--', '--epochs', '100000', '--steps-per-epoch', '20', '--step-ms', '20'];
  const refused = resume(...more);
  await refused.ended(73);
  expect(refused.stdout).toContain('far-away');
  await world.start(['save', 'it']).ended(73);
  const taken = resume('--take-over', ...more);
  await taken.event('progress', ({ step }) => step > 41);
  expect(existsSync(join(owners, `${newest + 2}.json`))).toBe(true);
  const second = resume('--take-over', ...more);
  await second.ended(73);
  taken.signal('SIGINT');
  await taken.ended(75);
});
