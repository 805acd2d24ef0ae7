/** `save` and `stop` from another terminal, to a supervisor that lives and to a worker that trains on alone. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { isReleased, readOwner } from '../../src/checkpoint/claim.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { readSessionFile } from '../../src/checkpoint/session-file.ts';
import { type Run, signalPid, testInWorld, type World } from './rig.ts';

interface Saved {
  readonly confirmed: boolean;
  readonly by: string;
  readonly checkpoint: {
    readonly sequence: number;
    readonly step: number;
    readonly kinds: string[];
    readonly reason: string;
  };
}
interface Stopped {
  readonly stopped: boolean;
  readonly by: string;
  readonly outcome: string;
  readonly sequence: number;
}

async function training(world: World, options: readonly string[] = [], args: readonly string[] = []): Promise<Run> {
  const run = world.run(world.endless(args), options);
  await run.event('progress', ({ step }) => step >= 3);
  return run;
}

function sequencesIn(directory: string): number[] {
  return readdirSync(directory)
    .flatMap((name) => /^checkpoint_.*_(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number);
}

async function stateOf(world: World): Promise<string | undefined> {
  const { sessions } = (await world.query(['list'])) as { sessions: { state: string }[] };
  return sessions[0]?.state;
}

testInWorld.concurrent(
  'save: the checkpoint is verified when the command returns; two at once are both answered; stop ends with 75',
  async ({ world }) => {
    const run = await training(world);
    const [one, two] = (await Promise.all([
      world.query(['save', '--kind', 'before-change', '--reason', 'new data']),
      world.query(['save', 'latest', '--timeout', '40d']),
    ])) as [Saved, Saved];
    expect(one).toMatchObject({ confirmed: true, by: 'supervised', checkpoint: { reason: 'new data' } });
    expect(one.checkpoint.kinds).toContain('before-change');
    expect(two).toMatchObject({ confirmed: true, by: 'supervised' });
    // The supervisor tells both; its own line may come a moment after the answer.
    for (const { checkpoint } of [one, two]) {
      await run.event('checkpoint-verified', ({ sequence }) => sequence === checkpoint.sequence);
    }

    // Whichever comes second joins the first, or comes when it is over and hears how the session ended.
    const answers = (await Promise.all([
      world.query(['stop', '--reason', 'warm room']),
      world.query(['stop', '--timeout', '40d']),
    ])) as (Stopped & {
      readonly error?: { readonly message: string };
    })[];
    const stopped = answers.filter((answer) => answer.stopped);
    expect(stopped.length).toBeGreaterThan(0);
    for (const answer of stopped) expect(answer).toMatchObject({ by: 'supervised', outcome: 'stopped-saved' });
    for (const { error } of answers) if (error !== undefined) expect(error.message).toContain('interrupted');
    await run.ended(75);
    expect(run.named('stop-requested').map(({ stage }) => stage)).toEqual(['saving']);
    expect(run.named('saved').at(-1)).toMatchObject({
      kinds: ['emergency'],
      reason: expect.stringContaining('nkat-recover stop'),
    });
    expect(run.named('worker-ended').at(-1)).toMatchObject({ class: 'interrupted' });
    expect(await stateOf(world)).toBe('interrupted');
    const again = world.start(['save', '--json']);
    await again.ended(66);
  },
);

testInWorld.concurrent(
  'an orphaned worker is saved, trains on, and can be stopped; list tells each',
  async ({ world }) => {
    const run = await training(world, ['--save-every', 'off']);
    const { pid } = await run.event('worker-connected');
    run.signal('SIGKILL');
    await run.exited;
    const saved = (await world.query(['save', '--reason', 'from outside'])) as Saved;
    expect(saved).toMatchObject({
      confirmed: true,
      by: 'orphaned',
      checkpoint: { kinds: ['manual'], reason: 'from outside' },
    });
    expect(world.processes()).toContain(pid);
    const { directory = '' } = run.named('session-opened')[0] ?? {};
    const owner = await readOwner(nodeFiles, directory);
    // Known also where the claims themselves are lost: the worker has this number now.
    expect((await readSessionFile(nodeFiles, directory))?.claim).toBe(2);
    // Given back, so that another machine may take the session over too.
    expect(await isReleased(nodeFiles, directory, owner?.claim ?? 0)).toBe(true);
    expect(await stateOf(world)).toBe('orphaned');
    // Under the claim of a command that is over: its own saves go on, and so do the commands.
    const next = (await world.query(['save'])) as Saved;
    expect(next.checkpoint.step).toBeGreaterThan(saved.checkpoint.step);
    // One that hears nothing is told as that, with what wakes it.
    signalPid(pid, 'SIGSTOP');
    const deaf = await world.start(['save', '--json']).ended(1);
    expect(deaf.stdout).toContain(`its worker (pid ${pid}) is stopped by a signal`);
    // Who wants it to end wants its work: it is woken, and saves.
    const stopped = (await world.query(['stop', '--reason', 'enough'])) as Stopped;
    expect(stopped).toMatchObject({ stopped: true, by: 'orphaned', outcome: 'stopped-saved' });
    expect(stopped.sequence).toBeGreaterThan(next.checkpoint.sequence);
    expect(world.processes()).toEqual([]);
    expect(await stateOf(world)).toBe('interrupted');
    const shown = (await world.query(['show', 'latest'])) as { attempts: { class: string; reason: string }[] };
    expect(shown.attempts).toMatchObject([{ class: 'interrupted', reason: expect.stringContaining('enough') }]);
  },
);

testInWorld.concurrent(
  'an orphan keeps the save policy of its own run while a command visits it, and is adopted after',
  async ({ world }) => {
    const run = await training(world, ['--save-every-steps', '7', '--keep', '50']);
    run.signal('SIGKILL');
    await run.exited;
    const { directory = '' } = run.named('session-opened')[0] ?? {};
    const { checkpoint } = (await world.query(['save'])) as Saved;
    await world.until(() => Math.max(...sequencesIn(directory)) >= checkpoint.sequence + 5);
    const next = await training(world, ['--save-every-steps', '7', '--keep', '50']);
    expect(next.named('worker-connected')[0]).toMatchObject({ adopted: true });
    const { checkpoints } = (await world.query(['show', 'latest'])) as {
      checkpoints: { sequence: number; step: number; kinds: string[] }[];
    };
    const later = checkpoints.filter(({ sequence, kinds }) => sequence > checkpoint.sequence && kinds.includes('auto'));
    expect(later.length).toBeGreaterThan(0);
    // Its own saves come with the steps, not with the time.
    expect(later.filter(({ step }) => step % 7 !== 0)).toEqual([]);
    expect(checkpoints.length).toBeGreaterThan(5);
    next.signal('SIGINT');
    await next.ended(75);
  },
);

testInWorld.concurrent(
  'what an orphan had kept for its next supervisor is written down by the command that hears it',
  async ({ world }) => {
    const run = await training(world, ['--save-every-steps', '25', '--keep', '2']);
    const { session = '', directory = '' } = run.named('session-opened')[0] ?? {};
    run.signal('SIGKILL');
    await run.exited;
    const newest = (): number => Math.max(0, ...sequencesIn(directory));
    const before = newest();
    await world.until(() => newest() >= before + 4);
    const { checkpoint } = (await world.query(['save'])) as Saved;
    const file = JSON.parse(readFileSync(join(directory, 'session.json'), 'utf8')) as {
      lastCommit: { sequence: number };
    };
    expect(file.lastCommit.sequence).toBeGreaterThanOrEqual(checkpoint.sequence);
    const log = readFileSync(join(world.home, 'logs', session, 'session.log'), 'utf8');
    const logged = [...log.matchAll(/"sequence":(\d+)[^\n]*"event":"saved"/g)].map((match) => Number(match[1]));
    // Also those that were rotated away before anyone could find them in the directory.
    for (let sequence = before + 1; sequence <= checkpoint.sequence; sequence += 1) expect(logged).toContain(sequence);
    await world.query(['stop']);
  },
);

testInWorld.concurrent(
  'stop in the middle of an adoption, and before the first launch: it ends, and nothing is left',
  async ({ world }) => {
    const run = await training(world);
    run.signal('SIGKILL');
    await run.exited;
    const adopting = world.run(world.endless());
    await adopting.event('session-opened');
    const stopped = (await world.query(['stop'])) as Stopped;
    expect(stopped).toMatchObject({ stopped: true, by: 'supervised', outcome: 'stopped-saved' });
    await adopting.ended(75);
    const starting = world.run(world.endless());
    await starting.event('session-opened');
    const early = world.start(['stop', '--json']);
    const { code } = await early.exited;
    // With a checkpoint to go on from and no step made, either end is right, but never a worker that is left.
    expect([0, 1], early.stdout).toContain(code);
    expect([75, 143]).toContain((await starting.exited).code);
    expect(world.processes()).toEqual([]);
    expect(await stateOf(world)).toBe('interrupted');
  },
);

testInWorld.concurrent(
  'a save during a long step says that it waits, is not confirmed when the time is up, and comes at the next step',
  async ({ world }) => {
    const go = join(world.directory, 'go');
    const run = world.run(world.endless(['--hold-at', '5', '--hold', go]));
    await run.event('progress', ({ step }) => step >= 4);
    await run.quiet(1_100);
    const impatient = world.start(['save', '--timeout', '5s']);
    await impatient.ended(1);
    expect(impatient.stderr).toContain('The present step began');
    expect(impatient.stderr).toContain('it still saves at its next one');
    const patient = world.start(['save']);
    await patient.stderrSays('The present step began');
    writeFileSync(go, '');
    await patient.ended(0);
    run.signal('SIGINT');
    await run.ended(75);
  },
);

testInWorld.concurrent('a command that is killed in mid-request leaves the session as it was', async ({ world }) => {
  const run = await training(world);
  run.signal('SIGKILL');
  await run.exited;
  const save = world.start(['save', '--timeout', '1m']);
  await save.quiet(300);
  save.signal('SIGKILL');
  await save.exited;
  const next = await training(world);
  expect(next.named('worker-connected')[0]).toMatchObject({ adopted: true });
  next.signal('SIGINT');
  await next.ended(75);
});

testInWorld.concurrent(
  'stop in the pause before a restart: the supervisor ends and launches nothing more',
  async ({ world }) => {
    const run = world.run(world.endless(['--throw-at-step', '3']), ['--backoff', '2m']);
    await run.event('restart-planned', ({ delayMs }) => delayMs > 0);
    const stop = world.start(['stop', '--json']);
    await stop.ended(1);
    expect(stop.stdout).toContain('while waiting to restart');
    await run.ended(143);
  },
);

testInWorld.concurrent('logs -f shows what comes, ends with the session, and says so', async ({ world }) => {
  const run = await training(world, [], ['--print-every', '5']);
  const logs = world.start(['logs', '-f']);
  await logs.until(() => logs.stdout.includes('step 5 loss'));
  const shown = logs.stdout.match(/step \d+ loss/g)?.length ?? 0;
  await logs.until(() => (logs.stdout.match(/step \d+ loss/g)?.length ?? 0) > shown + 2);
  run.signal('SIGINT');
  await run.ended(75);
  await logs.ended(0);
  expect(logs.stdout).toMatch(/stdout {2}step 5 loss/);
  expect(logs.stdout).toContain('SIGINT: saving, then stopping');
  expect(logs.stderr).toContain('has ended: interrupted');
});
