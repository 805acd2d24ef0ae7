/** From the kill of the worker to its successor's first step, against the same script alone in a loop of bash. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Measure, MeasureContext } from '../measure.ts';
import { environment, Lines, trainerArgs } from '../process.ts';

/** Often enough that progress was made between two kills, so that the restart is at once. */
const SAVES = { NKAT_SAVE_EVERY_STEPS: '10', NKAT_SAVE_EVERY: 'off' };
const KILLS_IN_A_ROW = 3;

export const recovery: Measure = {
  name: 'recovery',
  async run(context) {
    const rounds = context.quick ? 1 : 5;
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(...(await kills(context, `supervised-${round}`)));
      theirs.push(...(await kills(context, `looped-${round}`)));
    }
    return [
      {
        name: 'kill of the worker to its next first step (MNIST)',
        reference: 'until loop of bash',
        unit: 'ms',
        ours,
        theirs,
        target: { bound: 'at most', value: 1.15 },
      },
    ];
  },
};

async function kills(context: MeasureContext, name: string): Promise<number[]> {
  const folder = join(context.folder, name);
  mkdirSync(folder);
  const args = trainerArgs(context, 'mnist.ts');
  const [, , script = ''] = args;
  const command = name.startsWith('supervised')
    ? [process.execPath, join(context.root, 'bin/nkat-recover.js'), 'run', script]
    : ['bash', '-c', 'until "$@"; do :; done', 'bash', process.execPath, ...args];
  const report = ['--report', '15'];
  const end = name.startsWith('supervised') ? 'SIGINT' : 'SIGKILL';
  const variables = environment(folder, SAVES);
  const trainer = new Lines(command[0] ?? '', [...command.slice(1), ...report], folder, variables, end);
  const taken: number[] = [];
  try {
    let [, pid = ''] = (await trainer.next('first-step ')).split(' ');
    // The first one also fills caches that every later one finds.
    for (let kill = 0; kill <= (context.quick ? 0 : KILLS_IN_A_ROW); kill++) {
      await trainer.next('speed ');
      await trainer.next('speed ');
      const killedAt = Date.now();
      process.kill(Number(pid), 'SIGKILL');
      const [at = '', next = '', step] = (await trainer.next('first-step ')).split(' ');
      if (step === '0') throw new Error(`${name} started from zero`);
      pid = next;
      if (kill > 0 || context.quick) taken.push(Number(at) - killedAt);
    }
  } finally {
    await trainer.stop();
  }
  return taken;
}
