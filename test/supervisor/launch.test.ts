import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isAlive } from '../../src/checkpoint/process-identity.ts';
import { BoundedWait } from '../../src/supervisor/bounded-wait.ts';
import { readExitRecord } from '../../src/supervisor/exit-record.ts';
import { commandOf, launchWorker } from '../../src/supervisor/launch.ts';
import { emptyGroup } from '../../src/supervisor/process-group.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { waitFor } from '../rig/wait-for.ts';
import { fixtureCommand, launch, launchSpec, workerFixture, written } from './launching.ts';

test.each([0, 1, 75, 93, 127, 200, 255])('an exit code of %i is a code', async (code) => {
  const { worker, files } = await launch({ command: fixtureCommand('exits.mjs', String(code)) });
  expect(await worker.ended).toEqual({ code, signal: null, source: 'exit' });
  expect(readExitRecord(files)).toEqual({ code, signal: null, source: 'record' });
});

test.each(['SIGKILL', 'SIGSEGV', 'SIGTERM', 'SIGINT', 'SIGABRT'] as const)(
  '%s that ends the worker is a signal',
  async (signal) => {
    const { worker, files } = await launch({ command: fixtureCommand('dies.mjs', signal) });
    expect(await worker.ended).toEqual({ code: null, signal, source: 'exit' });
    expect(readExitRecord(files)).toEqual({ code: null, signal, source: 'record' });
    expect(readFileSync(files.stderr, 'utf8')).not.toContain('Killed');
  },
);

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s to the group reaches the worker, and the launcher outlives it',
  async (signal) => {
    const { worker, files } = await launch({ command: fixtureCommand('handles-stop.mjs') });
    await written(files.stdout, 'ready');
    expect(worker.signalGroup(signal)).toBe('sent');
    expect(await worker.ended).toEqual({ code: 75, signal: null, source: 'exit' });
    expect(readExitRecord(files)?.code).toBe(75);
  },
);

test('a worker that is deaf to stop signals lives on with its launcher until it is killed', async () => {
  const { worker, files } = await launch({ command: fixtureCommand('deaf.mjs') });
  await written(files.stdout, 'ready');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    worker.signalGroup(signal);
    await written(files.stdout, `heard ${signal}`);
  }
  expect(isAlive(worker.group)).toBe(true);
  expect(await emptyGroup(worker.owned, new BoundedWait(10_000))).toBe(true);
  expect(await worker.ended).toEqual({ code: null, signal: 'SIGKILL', source: 'exit' });
  expect(readExitRecord(files)).toBeNull();
});

test('the worker inherits default signal dispositions and no blocked signal', async () => {
  const { worker, files } = await launch({ command: ['cat', '/proc/self/status'] });
  await worker.ended;
  const status = readFileSync(files.stdout, 'utf8');
  expect(/^SigIgn:\s*(\S+)$/m.exec(status)?.[1]).toBe('0000000000000000');
  expect(/^SigBlk:\s*(\S+)$/m.exec(status)?.[1]).toBe('0000000000000000');
});

test('the worker has no terminal, no input and none of our descriptors', async () => {
  const script = 'readlink /proc/$$/fd/0; ps -o tty= -p $$; cat; ls /proc/$$/fd';
  const { worker, files } = await launch({ command: ['sh', '-c', script] });
  await worker.ended;
  const [input, terminal, ...descriptors] = readFileSync(files.stdout, 'utf8').trim().split('\n');
  expect(input).toBe('/dev/null');
  expect(terminal).toBe('?');
  // Whoever started these tests may have left some open to all.
  const inherited = execFileSync('sh', ['-c', 'ls /proc/$$/fd'], { encoding: 'utf8' }).trim().split('\n');
  expect(descriptors).toEqual(inherited);
});

test('a grandchild that holds the output does not delay the end', async () => {
  const { worker, files } = await launch({ command: fixtureCommand('grandchild.mjs') });
  expect(await worker.ended).toEqual({ code: 3, signal: null, source: 'exit' });
  const pid = Number(/grandchild (\d+)/.exec(readFileSync(files.stdout, 'utf8'))?.[1]);
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  expect(await emptyGroup(worker.owned, new BoundedWait(10_000))).toBe(true);
  await waitFor(
    'the grandchild is reaped',
    () => !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
  );
});

test('a launcher that alone is killed ends the attempt; the worker is found in the group and killed with it', async () => {
  const { worker, files } = await launch({ trainer: workerFixture('deaf.mjs') });
  await written(files.stdout, 'ready');
  const trainer = worker.workerPid();
  expect(trainer?.pid).not.toBe(worker.group.pid);
  process.kill(worker.group.pid, 'SIGKILL');
  expect(await worker.ended).toEqual({ code: null, signal: 'SIGKILL', source: 'exit' });
  expect(trainer !== null && isAlive(trainer)).toBe(true);
  expect(await emptyGroup(worker.owned, new BoundedWait(10_000))).toBe(true);
  expect(trainer !== null && isAlive(trainer)).toBe(false);
  expect(worker.workerPid()).toBeNull();
  expect(worker.announcedPid()).toEqual(trainer);
});

test('a script is started with our Node and the preload, from odd paths too', async () => {
  const folder = join(temporaryDirectory(), 'pre#load 100%');
  mkdirSync(folder);
  const preload = join(folder, 'preload?.mjs');
  writeFileSync(preload, 'globalThis.preloaded = true;');
  const trainer = join(folder, 'träiner #1.mjs');
  writeFileSync(trainer, 'console.log(globalThis.preloaded, process.argv.slice(2), process.env.EXTRA, process.cwd());');
  const { worker, files } = await launch({
    trainer,
    preload,
    args: ['--epochs', '3 4', '$HOME'],
    environment: { EXTRA: 'x' },
    cwd: folder,
  });
  expect((await worker.ended).code).toBe(0);
  expect(readFileSync(files.stdout, 'utf8')).toBe(`true [ '--epochs', '3 4', '$HOME' ] x ${folder}\n`);
});

test('a command is run as it is', () => {
  const command = ['python3', 'train.py', '--lr', '1'];
  expect(commandOf({ trainer: '/t.py', args: ['x'], command, preload: '/p.js' })).toEqual(command);
});

test('output goes to private files that are appended to', async () => {
  const { worker, files, spec } = await launch({
    command: ['sh', '-c', 'echo out; echo err >&2; grep flags /proc/self/fdinfo/1'],
  });
  await worker.ended;
  expect(readFileSync(files.stderr, 'utf8')).toBe('err\n');
  const flags = /flags:\s*(\d+)/.exec(readFileSync(files.stdout, 'utf8'))?.[1] ?? '0';
  expect(Number.parseInt(flags, 8) & 0o2000).toBe(0o2000);
  for (const path of [files.stdout, files.stderr, files.exit]) expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(spec.outputDirectory).mode & 0o777).toBe(0o700);
});

test('what cannot be started is an outcome with its errno', async () => {
  const folder = temporaryDirectory();
  const plain = join(folder, 'plain.py');
  writeFileSync(plain, '');
  chmodSync(plain, 0o644);
  expect(await launchWorker(launchSpec({ command: ['no-such-command-anywhere'] }))).toMatchObject({
    status: 'failed',
    errno: 'ENOENT',
    path: 'no-such-command-anywhere',
  });
  expect(await launchWorker(launchSpec({ command: [plain] }))).toMatchObject({
    status: 'failed',
    errno: 'EACCES',
    path: plain,
  });
  expect(await launchWorker(launchSpec({ command: [folder] }))).toMatchObject({ status: 'failed', errno: 'EACCES' });
  expect(await launchWorker(launchSpec({ command: [] }))).toMatchObject({ status: 'failed', errno: 'ENOENT' });
  const missing = join(folder, 'missing.ts');
  expect(await launchWorker(launchSpec({ trainer: missing }))).toMatchObject({
    status: 'failed',
    errno: 'ENOENT',
    path: missing,
  });
  const gone = join(folder, 'gone');
  expect(await launchWorker(launchSpec({ cwd: gone }))).toMatchObject({
    status: 'failed',
    errno: 'ENOENT',
    path: gone,
  });
  expect(await launchWorker(launchSpec({ outputDirectory: join(plain, 'sub') }))).toMatchObject({
    status: 'failed',
    errno: 'ENOTDIR',
  });
});

test('what only the system finds out when it is asked to start it is an outcome, too', async () => {
  // Linux takes no argument of more than 128 KiB (MAX_ARG_STRLEN).
  const tooLong = await launchWorker(launchSpec({ command: [process.execPath, '-e', '0', 'x'.repeat(200_000)] }));
  expect(tooLong).toMatchObject({ status: 'failed', errno: 'E2BIG' });
});

test('leftovers of an earlier attempt of the same number are not taken for its own', async () => {
  const first = await launch({ args: ['9'] });
  await first.worker.ended;
  expect(first.worker.announcedPid()).not.toBeNull();
  const second = await launch({ ...first.spec, command: fixtureCommand('deaf.mjs') });
  await written(second.files.stdout, 'ready');
  expect(readExitRecord(second.files)).toBeNull();
  expect(second.worker.announcedPid()).toBeNull();
});
