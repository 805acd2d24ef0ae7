import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SessionLog } from '../../src/supervisor/session-log.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

function records(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('one object a line: events and output, with time, attempt and level', () => {
  const directory = join(temporaryDirectory(), 'session');
  const log = new SessionLog({ directory, onProblem: () => undefined });
  log.event(2, 'saved', 'checkpoint 7 is durable', { sequence: 7 });
  log.output(2, 'stderr', 'a "quoted" line\u2028\ufffd');
  log.event(2, 'worker-ended', 'killed', {}, 'warn');
  log.close();
  const [saved, output, ended] = records(log.path);
  expect(saved).toEqual({
    level: 'info',
    time: expect.any(String),
    attempt: 2,
    event: 'saved',
    sequence: 7,
    msg: 'checkpoint 7 is durable',
  });
  expect(new Date(String(saved?.time)).toISOString()).toBe(saved?.time);
  expect(output).toMatchObject({ level: 'info', attempt: 2, stream: 'stderr', msg: 'a "quoted" line\u2028\ufffd' });
  expect(ended).toMatchObject({ level: 'warn', event: 'worker-ended' });
  expect(statSync(log.path).mode & 0o777).toBe(0o600);
});

test('lines are written without waiting for the end', async () => {
  const log = new SessionLog({ directory: temporaryDirectory(), onProblem: () => undefined });
  log.output(1, 'stdout', 'x');
  await new Promise((resolve) => setImmediate(resolve));
  expect(records(log.path)).toHaveLength(1);
  log.close();
});

test('it is rotated by size, keeps three, and goes on in an existing file', () => {
  const directory = temporaryDirectory();
  const line = 'x'.repeat(1000);
  const path = join(directory, 'session.log');
  for (let round = 0; round < 10; round += 1) {
    const log = new SessionLog({ directory, onProblem: () => undefined, maxBytes: 200_000 });
    for (let number = 0; number < 100; number += 1) log.output(round, 'stdout', `${number} ${line}`);
    log.close();
  }
  const files = [path, `${path}.1`, `${path}.2`, `${path}.3`];
  const kept = files.toReversed().flatMap((file) => records(file));
  for (const file of files) expect(statSync(file).size).toBeLessThanOrEqual(200_000);
  expect(existsSync(`${path}.4`)).toBe(false);
  // What is kept is the newest, without a gap.
  expect(kept.length).toBeGreaterThan(400);
  const numbers = kept.map((record) => Number(record.attempt) * 100 + Number.parseInt(String(record.msg), 10));
  expect(numbers).toEqual(numbers.map((_, index) => 1000 - numbers.length + index));
});

test('a full disk stops nothing: lines are counted, said once, and the gap is told when there is room', () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'session.log');
  // Every write to this device fails with ENOSPC.
  symlinkSync('/dev/full', path);
  const problems: string[] = [];
  const again: string[] = [];
  const log = new SessionLog({
    directory,
    onProblem: (message) => problems.push(message),
    onWrittenAgain: (message) => again.push(message),
  });
  for (let number = 0; number < 300; number += 1) log.output(1, 'stdout', 'x'.repeat(1000));
  log.close();
  expect(log.lostLines).toBe(300);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain('ENOSPC');
  expect(again).toEqual([]);
  unlinkSync(path);
  log.output(1, 'stdout', 'back');
  log.close();
  expect(again).toEqual(['The session log is written again; lines that are missing in it: 300']);
  expect(records(path)).toMatchObject([{ event: 'log-gap', lines: 300 }, { msg: 'back' }]);
  expect(problems).toHaveLength(1);
});

test('a torn line is taken back', () => {
  const directory = join(temporaryDirectory(), 'small');
  mkdirSync(directory);
  const path = join(directory, 'session.log');
  writeFileSync(path, '');
  // A child under a limit of 64 KiB a file writes until it is refused in the middle of a batch.
  const script = `
    import { SessionLog } from ${JSON.stringify(new URL('../../dist/supervisor/session-log.js', import.meta.url).href)};
    const log = new SessionLog({ directory: ${JSON.stringify(directory)}, onProblem: () => undefined });
    for (let number = 0; number < 300; number += 1) log.output(1, 'stdout', 'x'.repeat(700));
    log.close();
    console.log(log.lostLines);`;
  const lost = execFileSync(
    'sh',
    ['-c', 'ulimit -f 300; trap "" XFSZ; exec "$0" --input-type=module -e "$1"', process.execPath, script],
    { encoding: 'utf8' },
  );
  expect(Number(lost)).toBeGreaterThan(0);
  expect(records(path)).toHaveLength(300 - Number(lost));
});

test('a folder that is gone or a file in its place stops nothing', () => {
  const root = temporaryDirectory();
  const directory = join(root, 'session');
  const problems: string[] = [];
  const log = new SessionLog({ directory, onProblem: (message) => problems.push(message) });
  writeFileSync(directory, '');
  log.output(1, 'stdout', 'lost');
  log.close();
  expect(problems).toHaveLength(1);
  rmSync(directory);
  log.output(1, 'stdout', 'kept');
  log.close();
  expect(records(log.path)).toMatchObject([{ event: 'log-gap', lines: 1 }, { msg: 'kept' }]);
});
