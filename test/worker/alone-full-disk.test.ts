/** A trainer without a supervisor on a full disk: it says so itself, loses nothing, and goes on. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { LoopMount, testWithMounts } from '../rig/loop-mount.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { waitFor } from '../rig/wait-for.ts';
import { launchTrainer, type TrainerProcess } from './rig/launch-trainer.ts';

class Place {
  readonly disk = LoopMount.make();
  readonly home = temporaryDirectory();
  readonly cwd = temporaryDirectory();

  run(args: readonly (string | number)[], environment: NodeJS.ProcessEnv = {}): TrainerProcess {
    return launchTrainer(
      ['--steps-per-epoch', 40, '--step-ms', 10, '--size-mib', 2, '--print-every', 1, ...args],
      { NKAT_HOME: this.home, NKAT_DIR: this.disk.path, NKAT_SAVE_EVERY: '300ms', NKAT_KEEP: '3', ...environment },
      { cwd: this.cwd },
    );
  }

  checkpoints(): string[] {
    const session = readdirSync(this.disk.path).find((name) => /^\d{8}_/.test(name)) ?? 'none';
    const directory = join(this.disk.path, session);
    if (!existsSync(directory)) return [];
    return readdirSync(directory).filter((name) => name.startsWith('checkpoint_'));
  }
}

const steps = (trainer: TrainerProcess): number =>
  trainer.stdout.split('\n').filter((line) => line.startsWith('step ')).length;
const said = (trainer: TrainerProcess, words: string): number => trainer.stderr.split(words).length - 1;

testWithMounts('full from the start: exit 74, and the words say where and what helps', async () => {
  const place = new Place();
  place.disk.fill();
  const trainer = place.run([]);
  expect((await trainer.ended).code).toBe(74);
  expect(trainer.stderr).toContain('No space left');
  expect(trainer.stderr).toContain(place.disk.path);
  expect(trainer.stderr).toContain('NKAT_DIR');
});

testWithMounts(
  'full in mid-run: told once, trained on, the good ones kept, saved again when there is room',
  async () => {
    const place = new Place();
    const trainer = place.run(['--epochs', 400]);
    await waitFor('two checkpoints', () => place.checkpoints().length >= 2);
    place.disk.keepFull();
    await waitFor('the word', () => trainer.stderr.includes('No room for checkpoints'));
    const kept = place.checkpoints();
    const from = steps(trainer);
    await waitFor('steps without saves', () => steps(trainer) > from + 40);
    expect(place.checkpoints()).toEqual(expect.arrayContaining(kept.slice(-1)));
    expect(place.checkpoints().length).toBeGreaterThan(0);
    expect(said(trainer, 'No room for checkpoints')).toBe(1);
    place.disk.free();
    await waitFor('room', () => trainer.stderr.includes('There is room for checkpoints again'));
    trainer.child.kill('SIGINT');
    expect((await trainer.ended).code).toBe(75);
  },
);

testWithMounts(
  'pausing: no step is made; Ctrl-C ends it with 130 and the reason, and the next start goes on',
  async () => {
    const place = new Place();
    const pausing = { NKAT_ON_FULL_DISK: 'pause' };
    const trainer = place.run(['--epochs', 400], pausing);
    await waitFor('two checkpoints', () => place.checkpoints().length >= 2);
    place.disk.keepFull();
    await waitFor('the word', () => trainer.stderr.includes('training pauses until there is room'));
    trainer.child.kill('SIGINT');
    expect((await trainer.ended).code).toBe(130);
    expect(trainer.stderr).toMatch(/the save at step \d+ failed \(no-space\)/);
    expect(place.checkpoints().length).toBeGreaterThan(0);
    place.disk.free();
    const again = place.run(['--epochs', 400], pausing);
    await waitFor('a resume', () => again.stdout.includes('resumed {'));
  },
);

testWithMounts('the last save waits for room', async () => {
  const place = new Place();
  const trainer = place.run(['--epochs', 3]);
  await waitFor('a checkpoint', () => place.checkpoints().length >= 1);
  place.disk.keepFull();
  await waitFor('the last step', () => trainer.stdout.includes('step 120 '));
  place.disk.free();
  expect((await trainer.ended).code).toBe(0);
  expect(place.checkpoints().some((name) => name.includes('_120_'))).toBe(true);
});
