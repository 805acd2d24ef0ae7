/** The command line as a process: help, usage errors, and the commands that read. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { World } from './world.ts';

const A = '20261122_120000_aaaa';
const B = '20261123_120000_bbbb';

test('--help shows every command, examples and all exit codes; each command has its own', async () => {
  const world = new World();
  const { code, stdout } = await world.cli(['--help']);
  expect(code).toBe(0);
  for (const command of ['run', 'resume', 'list', 'show', 'explain', 'verify']) expect(stdout).toContain(command);
  for (const { code: exit, meaning } of EXIT_CODES)
    expect(stdout).toMatch(new RegExp(`${exit}  ${meaning.slice(0, 20)}`));
  const run = await world.cli(['run', '--help']);
  for (const fact of ['--save-every', 'NKAT_SAVE_EVERY', 'Examples', 'Exit codes', '--take-over'])
    expect(run.stdout).toContain(fact);
});

test('--version is that of the package', async () => {
  const { stdout } = await new World().cli(['--version']);
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(stdout.trim()).toBe(version);
});

test.each([
  [['lst'], 'list'],
  [['list', '--jsn'], '--json'],
  [['run', '--save-evry', '5m', 'train.ts'], '--save-every'],
  [['run'], 'trainer'],
  [['train.ts', '--epochs'], 'nkat-recover run train.ts'],
  [['resume', 'latest', 'more'], 'too many arguments'],
  [['verify', '--level', '7'], '0, 1, 2'],
  [['run', '--keep', '0', 'train.ts'], 'from 1'],
  [['run', '--new', '--resume', 'train.ts'], 'exclude'],
])('wrong usage %j ends with 64 and says what would be right', async (args, help) => {
  const { code, stderr, stdout } = await new World().cli(args);
  expect(code).toBe(64);
  expect(stderr).toContain(help);
  expect(stdout).toBe('');
});

test('no command at all shows the help and ends with 64', async () => {
  const { code, stderr } = await new World().cli([]);
  expect(code).toBe(64);
  expect(stderr).toContain('Commands:');
});

test('a trainer that cannot be run ends with 78 and a hint, and leaves no session behind', async () => {
  const world = new World();
  mkdirSync(join(world.directory, 'folder.ts'));
  writeFileSync(join(world.directory, 'script.py'), 'print(1)\n');
  const said = async (args: string[]): Promise<string> => {
    const { code, stderr } = await world.cli(['run', ...args]);
    expect(code).toBe(78);
    return stderr;
  };
  expect(await said(['missing.ts'])).toContain('no such file');
  expect(await said(['folder.ts'])).toContain('folder');
  expect(await said(['script.py', '--lr', '1'])).toContain('nkat-recover run -- script.py --lr 1');
  expect(await said(['--', 'no-such-command'])).toContain('no-such-command');
  expect((await world.cli(['list'])).stdout).toContain('No session yet');
});

test('errors are JSON where JSON was asked for', async () => {
  const { code, stdout } = await new World().cli(['show', 'nobody', '--json']);
  expect(code).toBe(66);
  expect(JSON.parse(stdout)).toMatchObject({ version: 1, error: { code: 'session-not-found' } });
});

test('list shows the newest first, in full where nothing limits the width, and as the contract in JSON', async () => {
  const world = new World();
  expect((await world.cli(['list'])).stdout).toContain('nkat-recover run train.ts');
  await world.addSession(A, {
    steps: [10, 20],
    row: { name: null, totalSteps: 400, loss: 0.5, createdAt: '2026-11-22T12:00:00.000Z' },
  });
  await world.addSession(B, { row: { name: 'night', state: 'completed', createdAt: '2026-11-23T12:00:00.000Z' } });
  const { code, stdout } = await world.cli(['list']);
  expect(code).toBe(0);
  expect(stdout.indexOf(B)).toBeLessThan(stdout.indexOf(A));
  for (const fact of ['interrupted', 'completed', 'night', '40/400', 'train.mjs --epochs 3'])
    expect(stdout).toContain(fact);
  expect(stdout).not.toContain('\u001b');
  const json = JSON.parse((await world.cli(['list', '--json'])).stdout) as { sessions: object[] };
  expect(json).toMatchObject({
    version: 1,
    sessions: [
      { id: B },
      {
        id: A,
        state: 'interrupted',
        args: ['--epochs', '3'],
        step: 40,
        totalSteps: 400,
        loss: 0.5,
        checkpoints: 2,
        lastCheckpointStep: 20,
        supervisorPid: null,
      },
    ],
  });
  expect(Object.keys(json.sessions[0] ?? {})).toEqual(
    'id name state trainer args cwd createdAt updatedAt attempts restarts epoch step totalSteps loss percent stage results bestMetric checkpoints lastCheckpointAt lastCheckpointStep supervisorPid workerPid'.split(
      ' ',
    ),
  );
});

test('a running session shows what is true now, not what was recorded', async () => {
  const world = new World();
  const gone = { pid: 2 ** 22 + 1, startTime: '1', bootId: bootId() };
  const worker = { attempt: 1, group: { ...gone, bootId: 'another boot' }, outputDirectory: '/', resumedFrom: null };
  await world.addSession(A, { row: { state: 'running' }, held: true });
  await world.addSession(B, { row: { state: 'running', createdAt: '2026-11-23T12:00:00.000Z' } });
  await world.addSession('20261124_120000_cccc', {
    row: { state: 'running', createdAt: '2026-11-24T12:00:00.000Z' },
    file: { worker },
  });
  const { sessions } = JSON.parse((await world.cli(['list', '--json'])).stdout) as {
    sessions: { state: string; supervisorPid: number | null }[];
  };
  expect(sessions.map(({ state }) => state)).toEqual(['cut', 'crashed', 'running']);
  expect(sessions[2]?.supervisorPid).toBe(process.pid);
});

test('run refuses a session that a live process holds and says who', async () => {
  const world = new World();
  writeFileSync(join(world.directory, 'train.mjs'), '');
  await world.addSession(A, { row: { state: 'running' }, held: true });
  for (const args of [
    ['run', 'train.mjs', '--epochs', '3'],
    ['resume', 'latest'],
  ]) {
    const { code, stderr } = await world.cli(args);
    expect(code).toBe(73);
    expect(stderr).toContain(`pid ${process.pid}`);
    expect(stderr).toContain(A);
  }
});

test('show tells attempts and checkpoints, with digests that JSON carries', async () => {
  const world = new World();
  await world.addSession(A, { steps: [10, 20] });
  const { stdout } = await world.cli(['show', 'latest']);
  for (const fact of [A, 'interrupted', 'train.mjs', 'step 40', 'Attempts', 'Checkpoints', 'durable'])
    expect(stdout).toContain(fact);
  const json = JSON.parse((await world.cli(['show', A.slice(0, 12), '--json'])).stdout) as {
    checkpoints: { sequence: number; digest: string }[];
  };
  expect(json).toMatchObject({
    version: 1,
    session: { id: A },
    attempts: expect.any(Array),
    checkpoints: [{ sequence: 2, step: 20, epoch: 2, state: 'durable', kinds: ['auto'] }, { sequence: 1 }],
  });
  expect(json.checkpoints[0]?.digest).toMatch(/^[0-9a-f]{32}$/);
  expect(json.checkpoints[0]?.digest).not.toBe(json.checkpoints[1]?.digest);
});

test('verify finds a flipped byte, names file, chunk and tensor, and ends with 65; whole ones end with 0', async () => {
  const world = new World();
  const layout = await world.addSession(A, { steps: [10, 20] });
  const whole = await world.cli(['verify', '--level', '1']);
  expect(whole.code).toBe(0);
  expect(whole.stdout).toContain('2 checkpoints checked');
  const path = join(layout.directory, `checkpoint_${A}_20_2`, 'tensors.safetensors');
  const bytes = readFileSync(path);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const damaged = await world.cli(['verify', 'latest']);
  expect(damaged.code).toBe(65);
  for (const fact of [
    'Checkpoint 2 is damaged',
    'tensors.safetensors',
    'chunk 0',
    'dense/kernel',
    `nkat-recover resume ${A}`,
  ]) {
    expect(damaged.stdout).toContain(fact);
  }
  const json = await world.cli(['verify', '--all', '--json']);
  expect(json.code).toBe(65);
  expect(JSON.parse(json.stdout)).toMatchObject({
    version: 1,
    session: A,
    level: 2,
    checked: 2,
    damaged: [{ sequence: 2, file: 'tensors.safetensors', tensors: ['dense/kernel'] }],
  });
});

test('verify tells damage of the size at level 0 and changes nothing', async () => {
  const world = new World();
  const layout = await world.addSession(A, { steps: [10] });
  const path = join(layout.directory, `checkpoint_${A}_10_1`, 'tensors.safetensors');
  truncateSync(path, 10);
  expect((await world.cli(['verify', '--level', '0'])).code).toBe(65);
  expect(readFileSync(path)).toHaveLength(10);
});

test('a reader that goes away silences the words and changes nothing else', async () => {
  const world = new World();
  await world.addSession(A);
  const { stdout, stderr } = await world.shell('$NKAT list | head -1; echo "$PIPESTATUS"');
  expect(stdout).toMatch(/^SESSION.*\n0\n$/);
  expect(stderr).toBe('');
  const closed = await world.shell('$NKAT list --json | true; echo "$PIPESTATUS"');
  expect([closed.stdout, closed.stderr]).toEqual(['0\n', '']);
});

test('a state home that cannot be used is an error in words, never a stack', async () => {
  const world = new World();
  writeFileSync(join(world.directory, 'file'), '');
  const { code, stderr } = await world.cli(['list'], { NKAT_HOME: join(world.directory, 'file') });
  expect(code).toBe(74);
  expect(stderr).toContain('NKAT_HOME');
  expect(stderr).not.toContain('    at ');
});

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
