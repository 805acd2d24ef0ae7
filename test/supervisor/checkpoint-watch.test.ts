import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkpointName } from '../../src/checkpoint/layout.ts';
import { type CheckpointChanges, CheckpointWatch } from '../../src/supervisor/checkpoint-watch.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { waitFor } from '../rig/wait-for.ts';

const name = (step: number, sequence: number): string => checkpointName('20261122_120000_abcd', step, sequence);

async function observe(directory: string) {
  const changes: CheckpointChanges[] = [];
  const problems: string[] = [];
  const watch = new CheckpointWatch({
    directory,
    onChange: (change) => changes.push(change),
    onProblem: (problem) => problems.push(problem),
  });
  await watch.ready;
  onTestFinished(() => watch.close());
  const appeared = (): string[] => changes.flatMap((change) => change.appeared);
  const disappeared = (): string[] => changes.flatMap((change) => change.disappeared);
  return { changes, problems, appeared, disappeared };
}

/** As the store commits: written in staging, renamed into place. */
function commit(directory: string, checkpoint: string): void {
  mkdirSync(join(directory, '.staging', 'x'), { recursive: true });
  writeFileSync(join(directory, '.staging', 'x', 'manifest.json'), '{}');
  renameSync(join(directory, '.staging', 'x'), join(directory, checkpoint));
}

test('a commit is seen, what is no checkpoint is not', async () => {
  const directory = temporaryDirectory();
  commit(directory, name(10, 1));
  const seen = await observe(directory);
  await waitFor('what was there before', () => seen.appeared().length === 1);
  mkdirSync(join(directory, '.trash', name(1, 9)), { recursive: true });
  mkdirSync(join(directory, 'owners'));
  writeFileSync(join(directory, 'session.json'), '{}');
  writeFileSync(join(directory, name(5, 5)), 'a file of that name');
  commit(directory, name(20, 2));
  rmSync(join(directory, 'latest'), { force: true });
  symlinkSync(name(20, 2), join(directory, 'latest'));
  await waitFor('the commit', () => seen.appeared().length === 2);
  expect(seen.appeared()).toEqual([join(directory, name(10, 1)), join(directory, name(20, 2))]);
  expect(seen.problems).toEqual([]);
});

test('a rotation is told in one call', async () => {
  const directory = temporaryDirectory();
  for (let sequence = 1; sequence <= 3; sequence += 1) commit(directory, name(sequence, sequence));
  const seen = await observe(directory);
  await waitFor('the three', () => seen.appeared().length === 3);
  mkdirSync(join(directory, '.trash'));
  for (const sequence of [1, 2])
    renameSync(join(directory, name(sequence, sequence)), join(directory, '.trash', String(sequence)));
  await waitFor('their end', () => seen.disappeared().length === 2);
  expect(seen.changes).toHaveLength(2);
});

test('a directory that vanishes is reported, not thrown', async () => {
  const directory = join(temporaryDirectory(), 'session');
  mkdirSync(directory);
  commit(directory, name(1, 1));
  const seen = await observe(directory);
  rmSync(directory, { recursive: true });
  await waitFor('the report', () => seen.problems.length > 0);
  expect(seen.problems[0]).toContain(directory);
});
