/** A run in the background of a terminal, and on a terminal that stands still. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { COMMAND, World } from './world.ts';

const COUNTER = fileURLToPath(new URL('../../fixtures/trainers/counter.mjs', import.meta.url));
const NKAT = `${process.execPath} ${COMMAND}`;
const SHORT = `${COUNTER} --epochs 1 --steps-per-epoch 20 --step-ms 20 --print-every 5`;
/** Until there is a file of this name in its folder. */
const ENDLESS = `${COUNTER} --epochs 100000 --step-ms 20 --print-every 5 --until enough`;

test.each(['-tostop', 'tostop'])('run & with stty %s asks nothing and is not stopped', async (mode) => {
  const world = new World();
  // With job control each job has a group of its own; `wait` returns at once for a job that was stopped, with 128 + signal.
  const script = `stty ${mode}; ${NKAT} run ${SHORT} & wait $!; echo "code=$?"`;
  const { output } = await world.onTerminal(['bash', '-mc', script]);
  expect(output).toContain('code=0');
  expect(output).not.toContain('[Y/n]');
  if (mode === 'tostop') expect(output).not.toContain('step 5 loss');
});

test('Ctrl-Z, then bg, with stty tostop: it trains on', async () => {
  const world = new World();
  const rc = join(world.directory, 'rc');
  writeFileSync(rc, "PS1='prompt> '\nstty tostop\n");
  const { output } = await world.onTerminal(['bash', '--noprofile', '--rcfile', rc, '-i'], {
    script: [
      { wait: 'prompt> ', send: `${NKAT} run ${ENDLESS}\n` },
      { wait: 'step 5 loss', send: '\u001a' },
      { wait: 'Stopped', send: 'bg; touch enough; wait %1; echo "code=$?"\n' },
      { wait: 'code=0', send: 'exit\n' },
    ],
  });
  expect(output).toMatch(/code=0\r?\n/);
});

test('fg after bg shows the run again', async () => {
  const world = new World();
  const rc = join(world.directory, 'rc');
  writeFileSync(rc, "PS1='prompt> '\nstty tostop\n");
  const { output } = await world.onTerminal(['bash', '--noprofile', '--rcfile', rc, '-i'], {
    script: [
      { wait: 'prompt> ', send: `${NKAT} run ${ENDLESS}\n` },
      { wait: 'step 5 loss', send: '\u001a' },
      { wait: 'Stopped', send: 'bg\n' },
      { wait: 'prompt> ', send: 'fg\n' },
      { wait: ' loss ', send: '\u0003' },
      { wait: 'prompt> ', send: 'echo "code=$?"; exit\n' },
    ],
  });
  expect(output).toMatch(/code=75\r?\n/);
});

test('a terminal that stands still (Ctrl-S) does not stop the supervisor', async () => {
  const world = new World();
  const line = `${COUNTER} --epochs 1 --steps-per-epoch 3000 --print-every 1`;
  const { output, code } = await world.terminal(['run', ...line.split(' ')], {
    script: [{ wait: 'step 5 loss', send: '\u0013' }],
  });
  expect(code, output.slice(-500)).toBe(0);
  const list = await world.cli(['list', '--json']);
  expect(JSON.parse(list.stdout)).toMatchObject({ sessions: [{ state: 'completed' }] });
});
