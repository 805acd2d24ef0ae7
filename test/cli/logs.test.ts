import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { World } from './world.ts';

const ID = '20261122_120000_aaaa';

async function withLog(lines: readonly string[], rotated: readonly string[] = [], held = false): Promise<World> {
  const world = new World();
  await world.addSession(ID, { held });
  const directory = join(world.home.logs, ID);
  mkdirSync(directory, { recursive: true });
  if (rotated.length > 0) writeFileSync(join(directory, 'session.log.1'), `${rotated.join('\n')}\n`);
  writeFileSync(join(directory, 'session.log'), `${lines.join('\n')}\n`);
  return world;
}

const record = (facts: object, level = 'info'): string =>
  JSON.stringify({ level, time: '2026-11-22T12:00:00.000Z', attempt: 1, ...facts });
const output = (msg: string, attempt = 1): string => record({ stream: 'stdout', attempt, msg });
const LINES = [
  output('first'),
  record({ event: 'hang-detected', phase: 'train', silentMs: 61_000, limitMs: 60_000, msg: '' }, 'error'),
  '{"level":"info","ti',
  output('loss 0.25', 2),
];

test('events in words, output as it is, a damaged line as such; rotated files first', async () => {
  const world = await withLog(LINES, [output('long ago')]);
  const { stdout, code } = await world.cli(['logs']);
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toContain('long ago');
  expect(lines[2]).toMatch(/#1 hang-detected {2}No step for 1 min 1 s in phase train/);
  expect(lines[3]).toContain('[damaged line of 19 bytes]');
  expect(lines[4]).toMatch(/#2 stdout {2}loss 0\.25$/);
});

test('what the screen leaves out is in words here, too', async () => {
  const facts = { step: 9, kinds: ['auto'], reason: null, sequence: 3, bytes: 1, digest: 'd', path: '/p' };
  const world = await withLog([
    record({ event: 'save-started', ...facts }),
    record({ event: 'checkpoint-verified', ...facts }),
    record({ event: 'save-failed', ...facts, code: 'no-space', message: 'the disk is full' }, 'error'),
  ]);
  const words = (await world.cli(['logs'])).stdout.trimEnd().split('\n');
  expect(words).toEqual([
    expect.stringMatching(/save-started {2}Saving step 9 \(auto\)$/),
    expect.stringMatching(/checkpoint-verified {2}Checkpoint 3 was read back and verified$/),
    expect.stringMatching(/save-failed {2}The save of step 9 failed \(no-space\): the disk is full$/),
  ]);
});

test.each([
  [
    ['--level', 'error'],
    ['hang-detected', 'damaged'],
  ],
  [
    ['--attempt', '2'],
    ['damaged', 'loss 0.25'],
  ],
  [['--grep', 'loss 0\\.\\d+$'], ['loss 0.25']],
  [['--grep', 'No step'], ['No step']],
  [['-n', '1'], ['loss 0.25']],
  [['-n', '0'], []],
])('%j', async (flags, expected) => {
  const { stdout, code } = await (await withLog(LINES)).cli(['logs', ID, ...flags]);
  expect(code).toBe(0);
  const lines = stdout.split('\n').filter((line) => line !== '');
  expect(lines).toEqual(expected.map((text) => expect.stringContaining(text)));
});

test('--json gives the raw lines, and an object for a damaged one', async () => {
  const { stdout } = await (await withLog(LINES)).cli(['logs', '--json']);
  const lines = stdout.trimEnd().split('\n');
  expect([lines[0], lines[1], lines[3]]).toEqual([LINES[0], LINES[1], LINES[3]]);
  expect(JSON.parse(lines[2] ?? '')).toMatchObject({ event: 'log-damaged', bytes: 19 });
});

test('what is no regular expression is looked for as it stands; a wrong number is usage', async () => {
  const world = await withLog([output('cost (usd')]);
  const { stdout, stderr } = await world.cli(['logs', '--grep', '(usd']);
  expect(stdout).toContain('cost (usd');
  expect(stderr).toContain('no regular expression');
  expect((await world.cli(['logs', '-n', 'x'])).code).toBe(64);
  expect((await world.cli(['logs', 'nobody'])).code).toBe(66);
});

test('following a session that is over ends and says so', async () => {
  const { stdout, stderr, code } = await (await withLog(LINES)).cli(['logs', '-f']);
  expect(code).toBe(0);
  expect(stdout).toContain('loss 0.25');
  expect(stderr).toContain(`Session ${ID} has ended: interrupted`);
});

test('following one attempt of a session that goes on ends where a later one begins, and says so', async () => {
  const { stdout, stderr, code } = await (await withLog(LINES, [], true)).cli(['logs', '-f', '--attempt', '1']);
  expect(code).toBe(0);
  expect(stdout).toContain('first');
  expect(stdout).not.toContain('loss 0.25');
  expect(stderr).toContain(`Attempt 1 of session ${ID} is over; a later one has begun.`);
});

test('a reader that goes away ends it quietly, however long the log; memory stays bounded', async () => {
  const world = await withLog(Array.from({ length: 200_000 }, (_, number) => output(`${number} ${'x'.repeat(200)}`)));
  const { stdout, stderr, code } = await world.shell('$NKAT logs | head -1');
  expect([stdout.split('\n').length, stderr, code]).toEqual([2, '', 0]);
  const limited = await world.shell(`NODE_OPTIONS=--max-old-space-size=64 $NKAT logs --json | { sleep 1; wc -l; }`);
  expect([limited.stdout.trim(), limited.stderr]).toEqual(['200000', '']);
});

test('nothing to show is said: no line fits, or there is no log', async () => {
  const world = await withLog([output('first')]);
  expect((await world.cli(['logs', '--attempt', '2'])).stderr).toContain('is what was asked for');
  expect(await world.cli(['logs', '--attempt', '2', '--json'])).toMatchObject({ stdout: '', stderr: '' });
  expect((await world.cli(['logs', '-n', '0'])).stderr).toBe('');
  const other = '20261122_130000_bbbb';
  await world.addSession(other);
  expect((await world.cli(['logs', other])).stderr).toContain(`has no log in ${join(world.home.logs, other)}`);
});
