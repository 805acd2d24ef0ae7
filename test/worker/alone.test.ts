/** A trainer without a supervisor: the same claim, saves, resume and record. */
import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Manifest, SessionFile } from '../../src/checkpoint/types.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { waitFor } from '../rig/wait-for.ts';
import { launchTrainer, type TrainerProcess } from './rig/launch-trainer.ts';

class Home {
  readonly directory = temporaryDirectory();
  readonly cwd = temporaryDirectory();

  run(args: readonly (string | number)[], environment: NodeJS.ProcessEnv = {}): TrainerProcess {
    return launchTrainer(
      args,
      { NKAT_HOME: this.directory, NKAT_SAVE_EVERY: 'off', ...environment },
      { cwd: this.cwd },
    );
  }

  sessions(): string[] {
    try {
      return readdirSync(join(this.directory, 'checkpoints')).sort();
    } catch {
      return [];
    }
  }

  session(): string {
    const [first] = this.sessions();
    return join(this.directory, 'checkpoints', first ?? 'none');
  }

  file(): SessionFile {
    return JSON.parse(readFileSync(join(this.session(), 'session.json'), 'utf8')) as SessionFile;
  }

  checkpoints(): Manifest[] {
    try {
      return readdirSync(this.session())
        .filter((name) => name.startsWith('checkpoint_'))
        .map((name) => JSON.parse(readFileSync(join(this.session(), name, 'manifest.json'), 'utf8')) as Manifest)
        .sort((a, b) => a.sequence - b.sequence);
    } catch {
      return [];
    }
  }
}

function lastLine(trainer: TrainerProcess): string {
  return trainer.stdout.trim().split('\n').at(-1) ?? '';
}

test('killed and run again it goes on to the same end; completed, the same line starts a new session', async () => {
  const reference = new Home();
  const whole = reference.run([]);
  expect((await whole.ended).code).toBe(0);
  const expected = reference.checkpoints().at(-1);
  expect(expected?.kinds).toEqual(['final']);

  const home = new Home();
  const once = join(temporaryDirectory(), 'once');
  const args = ['--kill-at-step', 33, '--save-at-step', 27, '--once', once];
  const first = home.run(args);
  expect((await first.ended).signal).toBe('SIGKILL');
  expect(home.file()).toMatchObject({
    state: 'running',
    attempts: 1,
    claim: 1,
    identity: { cwd: home.cwd, args: args.map(String) },
  });
  const second = home.run(args);
  expect((await second.ended).code).toBe(0);
  expect(second.stdout).toContain('resumed {"sequence":2,"step":27');
  expect(lastLine(second)).toBe(lastLine(whole));
  expect(home.checkpoints().at(-1)?.tensorsDigest).toBe(expected?.tensorsDigest);
  const final = home.checkpoints().at(-1);
  expect(home.file()).toMatchObject({
    state: 'completed',
    attempts: 2,
    lastCommit: { sequence: final?.sequence, step: 60 },
    lastStep: 60,
  });
  expect(final).toMatchObject({ attempt: 2, claim: 2, trainer: { args: args.map(String) } });

  const third = home.run(args);
  expect((await third.ended).code).toBe(0);
  expect(third.stdout).toContain('fresh');
  expect(home.sessions()).toHaveLength(2);
  expect(readFileSync(join(home.directory, 'roots.txt'), 'utf8')).toContain(join(home.directory, 'checkpoints'));
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s: saved at the next step, verified, exit 75, taken up there',
  async (signal) => {
    const home = new Home();
    const args = ['--epochs', 100_000, '--step-ms', 10, '--print-every', 1];
    const first = home.run(args);
    await waitFor('steps', () => first.stdout.includes('step 5 '));
    first.child.kill(signal);
    expect((await first.ended).code).toBe(75);
    const saved = home.checkpoints().at(-1);
    expect(saved).toMatchObject({ kinds: ['emergency'], reason: signal });
    expect(home.file()).toMatchObject({ state: 'interrupted', lastCommit: { step: saved?.step } });
    const second = home.run(args);
    await waitFor('a resume', () =>
      second.stdout.includes(`resumed {"sequence":${saved?.sequence},"step":${saved?.step},`),
    );
  },
);

test('before there is anything to save a signal ends it at once; so does the second one', async () => {
  const home = new Home();
  const blocked = home.run(['--step-ms', 600_000]);
  await waitFor('the start', () => blocked.stdout.includes('fresh'));
  blocked.child.kill('SIGINT');
  await waitFor('words', () => blocked.stderr.includes('saving at the next step'));
  expect(blocked.running).toBe(true);
  blocked.child.kill('SIGINT');
  expect((await blocked.ended).code).toBe(130);
});

test('a session that another process trains is refused: exit 73 and who holds it', async () => {
  const home = new Home();
  const args = ['--step-ms', 600_000];
  const first = home.run(args);
  await waitFor('the start', () => first.stdout.includes('fresh'));
  const second = home.run(args);
  expect((await second.ended).code).toBe(73);
  expect(second.stderr).toContain(`pid ${first.pid}`);
  expect(first.running).toBe(true);
});

test('a damaged checkpoint is put aside and the one before it taken; when none is left: exit 65, unless allowed', async () => {
  const home = new Home();
  const once = join(temporaryDirectory(), 'once');
  const args = ['--epochs', 3, '--exit-at-step', 45, '--once', once];
  expect((await home.run(args, { NKAT_SAVE_EVERY_STEPS: '15' }).ended).code).toBe(1);
  const newest = home.checkpoints();
  expect(newest.length).toBeGreaterThanOrEqual(2);
  const pathOf = ({ step, sequence }: Manifest) =>
    join(home.session(), `checkpoint_${home.sessions()[0]}_${step}_${sequence}`);
  truncateSync(join(pathOf(newest.at(-1) as Manifest), 'tensors.safetensors'), 50);
  const older = newest.at(-2) as Manifest;
  const second = home.run([...args]);
  expect((await second.ended).code).toBe(0);
  expect(second.stdout).toContain(`resumed {"sequence":${older.sequence}`);
  expect(readdirSync(join(home.session(), '.quarantine'))).not.toEqual([]);
});

test('all checkpoints damaged: exit 65 and nothing is started from zero, unless that is allowed', async () => {
  const home = new Home();
  const args = ['--exit-at-step', 12, '--save-at-step', 10, '--once', join(temporaryDirectory(), 'once')];
  expect((await home.run(args).ended).code).toBe(1);
  const [only] = home.checkpoints();
  const name = `checkpoint_${home.sessions()[0]}_${only?.step}_${only?.sequence}`;
  truncateSync(join(home.session(), name, 'state.json'), 3);
  const refused = home.run(args);
  expect((await refused.ended).code).toBe(65);
  expect(refused.stderr).toContain('no checkpoint verifies');
  // Still so when all of it lies in quarantine.
  expect((await home.run(args).ended).code).toBe(65);
  const allowed = home.run(args, { NKAT_ALLOW_FRESH: '1' });
  expect((await allowed.ended).code).toBe(0);
  expect(allowed.stdout).toContain('fresh');
});

test('a newer claim stops a trainer that runs alone: exit 73', async () => {
  const { acquireClaim } = await import('../../src/checkpoint/claim.ts');
  const { nodeFiles } = await import('../../src/checkpoint/files.ts');
  const { copyFileSync } = await import('node:fs');
  const home = new Home();
  const trainer = home.run(['--epochs', 100_000, '--step-ms', 10, '--print-every', 1], { NKAT_SAVE_EVERY_STEPS: '10' });
  await waitFor('a commit', () => home.checkpoints().length > 0);
  // As a take-over on another machine would leave it.
  const elsewhere = temporaryDirectory();
  await acquireClaim(nodeFiles, elsewhere, { role: 'supervisor', takeOver: false });
  copyFileSync(join(elsewhere, 'owners', '1.json'), join(home.session(), 'owners', '7.json'));
  expect((await trainer.ended).code).toBe(73);
  expect(trainer.stderr).toContain('another process has claimed this session');
});

test('with asynchronous saves off no step is made before the last save is durable, so none is passed over', async () => {
  const home = new Home();
  const environment = { NKAT_SAVE_EVERY_STEPS: '1', NKAT_ASYNC_SAVE: 'off', NKAT_KEEP: '50' };
  const trainer = home.run(['--epochs', 1, '--steps-per-epoch', 12], environment);
  expect((await trainer.ended).code).toBe(0);
  const steps = home
    .checkpoints()
    .filter(({ kinds }) => kinds.includes('auto'))
    .map(({ step }) => step);
  expect([...steps].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test('settings of the environment', async () => {
  const home = new Home();
  const trainer = home.run([], {
    NKAT_SAVE_EVERY_EPOCHS: '1',
    NKAT_KEEP: '50',
    NKAT_BEST: 'loss:min',
    NKAT_DIR: join(home.directory, 'checkpoints'),
  });
  expect((await trainer.ended).code).toBe(0);
  const kinds = home.checkpoints().map((manifest) => manifest.kinds.join('+'));
  expect(kinds.at(-1)).toContain('final');
  expect(kinds).toContain('auto+best');
  const wrong = home.run([], { NKAT_SAVE_EVERY: 'often' });
  expect((await wrong.ended).code).toBe(1);
  expect(wrong.stderr).toContain("NKAT_SAVE_EVERY is 'often'");
});

test('copies that can lie nowhere are told before there is a session', async () => {
  const home = new Home();
  const trainer = home.run([], { NKAT_BACKUPS: '/dev/null' });
  expect((await trainer.ended).code).not.toBe(0);
  expect(trainer.stderr).toContain('/dev/null');
  expect(trainer.stderr).toContain('no folder');
  expect(home.sessions()).toEqual([]);
});
