/** Who may own a session, and what becomes of a worker whose supervisor dies. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import { connectTo } from '../../src/protocol/connect.ts';
import { socketPath } from '../../src/protocol/socket-path.ts';
import { helloOf } from '../supervisor/hello.ts';
import { counter, digestsOf, signalPid, testInWorld } from './rig.ts';

const SAVES = ['--save-every-steps', '10'];

testInWorld('kill -9 of the supervisor: the worker trains on, the same line again adopts it', async ({ world }) => {
  const go = join(world.directory, 'go');
  // It does not come to its end before it was adopted.
  const line = counter(['--epochs', '6', '--step-ms', '10', '--hold-at', '115', '--hold', go]);
  const undisturbed = world.run(line, [...SAVES, '--name', 'undisturbed']);
  const first = world.run(line, [...SAVES, '--name', 'adopted']);
  const { pid } = await first.event('worker-connected');
  await first.event('saved');
  first.signal('SIGKILL');
  await first.exited;
  expect(world.processes()).toContain(pid);
  const listed = (await world.query(['list'])) as { sessions: { name: string; state: string }[] };
  expect(listed.sessions.find(({ name }) => name === 'adopted')?.state).toBe('orphaned');

  const second = world.run(line, [...SAVES, '--name', 'adopted']);
  expect(await second.event('worker-connected')).toMatchObject({ pid, adopted: true });
  writeFileSync(go, '');
  await second.ended(0);
  expect(second.named('attempt-started')).toEqual([]);
  await undisturbed.ended(0);
  expect(digestsOf(second).final).toBe(digestsOf(undisturbed).final);
});

testInWorld('an adopted worker can be stopped with a verified save', async ({ world }) => {
  const first = world.run(world.endless(), SAVES);
  const { directory } = await first.event('session-opened');
  await first.event('saved');
  first.signal('SIGKILL');
  await first.exited;
  const claim = (): unknown => JSON.parse(readFileSync(join(directory, 'session.json'), 'utf8')).claim;
  expect(claim()).toBe(1);
  const second = world.run(world.endless(), SAVES);
  await second.event('worker-connected', ({ adopted }) => adopted);
  await second.event('progress');
  second.signal('SIGINT');
  await second.ended(75);
  expect(claim()).toBe(2);
});

testInWorld(
  '--orphan-limit: a worker without a supervisor saves and ends; the next run resumes and tells it',
  async ({ world }) => {
    const first = world.run(world.endless(), ['--orphan-limit', '1s', '--save-every', 'off']);
    await first.event('progress', ({ step }) => step > 3);
    first.signal('SIGKILL');
    await first.exited;
    await world.until(() => world.processes().length === 0);
    const second = world.run(world.endless(), SAVES);
    const ended = await second.event('worker-ended');
    expect(ended).toMatchObject({ class: 'requested', code: 75, reason: expect.stringContaining('--orphan-limit') });
    expect((await second.event('training-started')).step).toBeGreaterThan(3);
    expect(second.named('checkpoint-chosen')[0]).toMatchObject({ stepsLost: 0 });
    second.signal('SIGINT');
    await second.ended(75);
  },
);

testInWorld('--orphan-limit of its own run holds on after a command has visited the worker', async ({ world }) => {
  const first = world.run(world.endless(), ['--orphan-limit', '15s']);
  const { pid } = await first.event('worker-connected');
  await first.event('progress', ({ step }) => step >= 3);
  first.signal('SIGKILL');
  await first.exited;
  expect(await world.query(['save'])).toMatchObject({ confirmed: true, by: 'orphaned' });
  expect(world.processes()).toContain(pid);
  await world.until(() => world.processes().length === 0);
  const { sessions } = (await world.query(['list'])) as { sessions: object[] };
  expect(sessions).toMatchObject([{ state: 'crashed' }]);
});

testInWorld('--orphan-limit ends a worker whose training loop is blocked, too', async ({ world }) => {
  const first = world.run(counter(['--block-ms', '600000', '--epochs', '1']), ['--orphan-limit', '1s']);
  await first.event('training-started');
  first.signal('SIGKILL');
  await first.exited;
  await world.until(() => world.processes().length === 0);
});

testInWorld('a script without the SDK is adopted by its pid when its supervisor is dead', async ({ world }) => {
  const gate = join(world.directory, 'gate');
  const script = join(world.directory, 'plain.mjs');
  writeFileSync(
    script,
    `import { existsSync } from 'node:fs';
console.log('begins');
while (!existsSync(${JSON.stringify(gate)})) await new Promise((resolve) => setTimeout(resolve, 20));
console.log('ends');
`,
  );
  const line = ['--', process.execPath, script];
  const first = world.run(line);
  await first.event('output');
  // What it prints may be heard before it is on record; only from then on it is adopted.
  await first.event('attempt-started');
  first.signal('SIGKILL');
  await first.exited;
  const [worker] = world.processes();
  const second = world.run(line);
  await second.event('notice', ({ message }) => message.includes('watched by its pid'));
  expect(world.processes()).toContain(worker);
  writeFileSync(gate, '');
  await second.ended(0);
  expect(second.named('attempt-started')).toEqual([]);
  expect(second.outputLines().at(-1)).toBe('ends');
});

testInWorld(
  'other arguments for a worker that trains on are refused; it goes on and can be adopted',
  async ({ world }) => {
    const first = world.run(world.endless(), [...SAVES, '--name', 'kept']);
    const { pid } = await first.event('worker-connected');
    await first.event('saved');
    first.signal('SIGKILL');
    await first.exited;
    const other = world.start(['resume', 'kept', '--json', '--', '--epochs', '1']);
    await other.ended(73);
    expect(world.processes()).toContain(pid);
    const second = world.run(world.endless(), [...SAVES, '--name', 'kept']);
    expect(await second.event('worker-connected')).toMatchObject({ pid, adopted: true });
    await second.event('saved');
    second.signal('SIGINT');
    await second.ended(75);
  },
);

testInWorld('a worker that ends while nobody watches: the next start knows how', async ({ world }) => {
  const first = world.run(world.endless(), SAVES);
  const { pid } = await first.event('worker-connected');
  await first.event('saved');
  first.signal('SIGKILL');
  await first.exited;
  signalPid(pid, 'SIGKILL');
  await world.until(() => !world.processes().includes(pid));
  world.enough();
  const second = world.run(world.endless(), SAVES);
  await second.ended(0);
  expect(second.named('worker-ended')[0]).toMatchObject({ attempt: 1, class: 'killed', signal: 'SIGKILL' });
});

testInWorld('a worker that comes to its end while nobody watches: how far it came is told', async ({ world }) => {
  const first = world.run(world.endless(), SAVES);
  await first.event('saved');
  first.signal('SIGKILL');
  await first.exited;
  world.enough();
  await world.until(() => world.processes().length === 0);
  await world.start(['recover', '--json']).ended(0);
  const shown = (await world.query(['show', 'latest'])) as {
    session: { state: string; step: number; epoch: number };
    attempts: { class: string; lastStep: number }[];
    checkpoints: { step: number; epoch: number }[];
  };
  const step = Math.max(...shown.checkpoints.map((checkpoint) => checkpoint.step));
  const epoch = Math.max(...shown.checkpoints.map((checkpoint) => checkpoint.epoch));
  expect(shown.session).toMatchObject({ state: 'completed', step, epoch });
  expect(shown.attempts).toMatchObject([{ class: 'completed', lastStep: step }]);
});

testInWorld('kill -9 of both at once: the same line resumes', async ({ world }) => {
  const first = world.run(world.endless(), SAVES);
  await first.event('saved');
  await world.cutPower();
  world.enough();
  const second = world.run(world.endless(), SAVES);
  await second.ended(0);
  expect(second.named('worker-ended')[0]?.class).toBe('vanished');
  expect(second.named('training-started')[0]?.sequence).toBeGreaterThan(0);
});

testInWorld('a second supervisor is refused and says who holds the session', async ({ world }) => {
  const first = world.run(world.endless(), SAVES);
  await first.event('progress');
  const second = world.run(world.endless(), SAVES);
  await second.ended(73);
  expect(second.stdout + second.stderr).toContain(`pid ${first.pid}`);
  first.signal('SIGINT');
  await first.ended(75);
});

testInWorld('a supervisor that is killed between spawn and welcome leaves nobody behind', async ({ world }) => {
  const first = world.run(world.endless(), SAVES);
  await first.event('attempt-started');
  first.signal('SIGKILL');
  await first.exited;
  world.enough();
  const second = world.run(world.endless(), SAVES);
  await second.ended(0);
  expect(world.processes()).toEqual([]);
});

testInWorld(
  'a supervisor that is killed before the welcome of a slow starter: its worker resumes, it does not start from zero',
  async ({ world }) => {
    const gate = join(world.directory, 'open');
    const trainer = join(world.directory, 'slow.mjs');
    const [script = ''] = counter([]);
    writeFileSync(
      trainer,
      `import { existsSync } from 'node:fs';
while (!existsSync(${JSON.stringify(gate)})) await new Promise((resolve) => setTimeout(resolve, 20));
await import(${JSON.stringify(pathToFileURL(script).href)});
`,
    );
    writeFileSync(gate, '');
    const first = world.run([trainer, ...world.endless().slice(1)], SAVES);
    await first.event('saved');
    first.signal('SIGINT');
    await first.ended(75);

    rmSync(gate);
    const second = world.run([trainer, ...world.endless().slice(1)], SAVES);
    const { attempt } = await second.event('attempt-started');
    second.signal('SIGKILL');
    await second.exited;
    const third = world.run([trainer, ...world.endless().slice(1)], SAVES);
    expect(await third.event('session-opened')).toMatchObject({ adopted: true });
    writeFileSync(gate, '');
    const started = await third.event('training-started');
    expect(started.attempt).toBe(attempt);
    expect(started.sequence).toBe(first.named('saved').at(-1)?.sequence);
    third.signal('SIGINT');
    await third.ended(75);
  },
);

testInWorld(
  'a worker that dies after its socket was removed is succeeded by one that can connect',
  async ({ world }) => {
    const run = world.run(world.endless(), SAVES);
    const { pid } = await run.event('worker-connected');
    await run.event('saved');
    const { session } = await run.event('session-opened');
    rmSync(socketPath(session));
    signalPid(pid, 'SIGKILL');
    await run.event('worker-connected', () => true, 2);
    run.signal('SIGINT');
    await run.ended(75);
  },
);

testInWorld(
  'a straggler of an earlier attempt is refused, and the present worker keeps its channel',
  async ({ world }) => {
    const run = world.run(world.endless(), SAVES);
    const { pid } = await run.event('worker-connected');
    const { session, directory } = await run.event('session-opened');
    const { token } = JSON.parse(readFileSync(join(directory, 'session.json'), 'utf8')) as { token: string };
    const straggler = await connectTo(socketPath(session));
    const answer = new Promise((resolve) => straggler.onMessage(resolve));
    straggler.send(helloOf(session, token, { attempt: 7, pid, welcomed: true, claim: 1, step: 1, phase: 'train' }));
    expect(await answer).toMatchObject({ type: 'refused', code: 'fenced' });
    straggler.destroy();
    run.signal('SIGINT');
    await run.ended(75);
    expect(run.named('worker-connected')).toHaveLength(1);
  },
);
