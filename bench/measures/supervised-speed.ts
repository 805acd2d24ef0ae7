/** Steps a second under a supervisor against the same trainer alone, with the same saves. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Measure, type MeasureContext, median } from '../measure.ts';
import { environment, Lines, trainerArgs } from '../process.ts';

export const supervisedSpeed: Measure = {
  name: 'supervised-speed',
  async run(context) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let pair = 0; pair < (context.quick ? 1 : 8); pair++) {
      const order = pair % 2 === 0 ? (['alone', 'supervised'] as const) : (['supervised', 'alone'] as const);
      for (const kind of order) (kind === 'alone' ? theirs : ours).push(await speed(context, kind, pair));
    }
    return [
      {
        name: 'steps/s supervised (MNIST)',
        reference: 'unsupervised',
        unit: 'steps/s',
        ours,
        theirs,
        target: { bound: 'at least', value: 0.99 },
      },
    ];
  },
};

async function speed(context: MeasureContext, kind: 'alone' | 'supervised', pair: number): Promise<number> {
  const folder = join(context.folder, `${kind}-${pair}`);
  mkdirSync(folder);
  const args = trainerArgs(context, 'mnist.ts');
  const [, , script = ''] = args;
  const command = kind === 'alone' ? args : [join(context.root, 'bin/nkat-recover.js'), 'run', script];
  const report = context.quick ? '20' : '100';
  const end = kind === 'alone' ? 'SIGKILL' : 'SIGINT';
  const trainer = new Lines(process.execPath, [...command, '--report', report], folder, environment(folder), end);
  try {
    // Code and memory warm up in the first ones.
    await trainer.next('speed ');
    const speeds: number[] = [];
    for (let sample = 0; sample < (context.quick ? 1 : 8); sample++) speeds.push(Number(await trainer.next('speed ')));
    return median(speeds);
  } finally {
    await trainer.stop();
  }
}
