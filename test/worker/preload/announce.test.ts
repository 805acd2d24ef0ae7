import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TrainerFolder } from './trainer-folder.ts';

const TRAINER = {
  'train.ts': `
    import { readFileSync } from 'node:fs';
    import { fork } from 'node:child_process';
    import { Worker } from 'node:worker_threads';
    const stat = readFileSync('/proc/self/stat', 'latin1');
    console.log(process.pid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19], readFileSync(process.env.PID_FILE!, 'utf8').trim());
    new Worker('', { eval: true });
    // Inherits preload and environment.
    if (process.send === undefined) fork(process.argv[1]!, { silent: true });`,
};

test.runIf(process.platform === 'linux')('pid and start time stand in the file before the trainer runs', () => {
  using trainer = new TrainerFolder(TRAINER);
  const file = join(trainer.path, 'worker.pid');
  const { pid, stdout, code } = trainer.run('train.ts', { NKAT_PID_FILE: file, PID_FILE: file });
  expect(code).toBe(0);
  const [ownPid, startTime, announced] = /^(\d+) (\d+) (\d+ \d+)\n$/.exec(stdout)?.slice(1) ?? [];
  expect(ownPid).toBe(String(pid));
  expect(announced).toBe(`${ownPid} ${startTime}`);
  expect(readFileSync(file, 'utf8')).toBe(`${announced}\n`);
  expect(readdirSync(trainer.path).sort()).toEqual(['train.ts', 'worker.pid']);
});

test('a file that cannot be written is said and stops nothing', () => {
  using trainer = new TrainerFolder({ 'train.ts': 'console.log("trained");' });
  const file = join(trainer.path, 'a-folder');
  mkdirSync(file);
  const outcome = trainer.run('train.ts', { NKAT_PID_FILE: file });
  expect(outcome).toMatchObject({ code: 0, stdout: 'trained\n', stderr: expect.stringContaining('could not write') });
  expect(readdirSync(trainer.path).sort()).toEqual(['a-folder', 'train.ts']);
});
