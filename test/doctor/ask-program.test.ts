import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { askProgram, type ProgramAnswer } from '../../src/doctor/ask-program.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { waitFor } from '../rig/wait-for.ts';

interface Answer {
  readonly kind: 'yes';
}

function ask(source: string, limitMs = 60_000): Promise<ProgramAnswer<Answer>> {
  const program = join(temporaryDirectory(), 'program.mjs');
  writeFileSync(program, source);
  return askProgram<Answer>({ program, args: [], environment: process.env, limitMs, kinds: ['yes'] });
}

it.concurrent('takes the last line for the answer', async () => {
  const answer = await ask(`console.log('a library says hello'); console.log('{"kind":"yes"}')`);
  expect(answer).toEqual({ kind: 'answered', value: { kind: 'yes' } });
});

it.concurrent('says how it ended without one, in its own words', async () => {
  expect(await ask(`console.error('no such thing'); process.exit(3)`)).toEqual({
    kind: 'failed',
    reason: 'it ended with 3: no such thing',
  });
  expect(await ask(`console.log('42'); process.kill(process.pid, 'SIGKILL')`)).toEqual({
    kind: 'failed',
    reason: 'it ended with SIGKILL',
  });
});

it.concurrent('kills one that hangs, and waits for it no longer', async () => {
  const file = join(temporaryDirectory(), 'pid');
  const source = `import { writeFileSync } from 'node:fs';
    process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1e6);
    writeFileSync(${JSON.stringify(file)}, String(process.pid));`;
  const answer = await ask(source, 5_000);
  expect(answer).toEqual({ kind: 'silent', forMs: 5_000 });
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : null;
  await waitFor('its end', () => pid === null || !existsSync(`/proc/${pid}`));
});
