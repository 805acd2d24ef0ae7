/** Training speed while saves run back to back against training without saves; and what memory the saves take. */
import type { Measure, MeasureContext } from '../measure.ts';
import { alone } from '../process.ts';

interface Speed {
  readonly perSecond: number;
  /** Matrix products of a step. */
  readonly repeats: number;
  readonly peakMiB: number;
}

/** Of about 100 ms each: long enough for several saves of 512 MiB, one after the other, of which each takes some 15 s. */
const STEPS = 400;

export const trainingSpeed: Measure = {
  name: 'training-speed',
  async run(context) {
    const mib = context.quick ? 16 : 512;
    const pairs = context.quick ? 1 : 3;
    const speeds = { saving: [] as number[], plain: [] as number[] };
    const peaks: number[] = [];
    // The first process only finds how much work a step is: chosen by each for itself it differed by a factor of two.
    const { repeats } = await speed(context, mib, 'first', 'off', 0);
    for (let pair = 0; pair < pairs; pair++) {
      const plain = await speed(context, mib, `${pair}-plain`, 'off', repeats);
      const saving = await speed(context, mib, `${pair}-saving`, '1', repeats);
      speeds.plain.push(plain.perSecond);
      speeds.saving.push(saving.perSecond);
      peaks.push(saving.peakMiB - plain.peakMiB);
    }
    return [
      {
        name: `training while saves of ${mib} MiB run back to back`,
        reference: 'without saves',
        unit: 'steps/s',
        ours: speeds.saving,
        theirs: speeds.plain,
        target: { bound: 'at least', value: 0.95 },
      },
      {
        name: `peak memory that saves of ${mib} MiB add`,
        reference: null,
        unit: 'MB',
        ours: peaks,
        theirs: [],
        target: { bound: 'at most', value: 2 * mib },
      },
    ];
  },
};

async function speed(
  context: MeasureContext,
  mib: number,
  name: string,
  every: string,
  repeats: number,
): Promise<Speed> {
  const args = ['--mib', mib, '--steps', context.quick ? 5 : STEPS, '--repeats', repeats].map(String);
  const env = {
    NKAT_DIR: `${context.folder}/${name}`,
    NKAT_SAVE_EVERY_STEPS: every,
    NKAT_SAVE_EVERY: 'off',
    NKAT_KEEP: '2',
  };
  const trainer = alone(context, context.folder, 'big-model.ts', [...args, '--every', '0'], env);
  try {
    return JSON.parse(await trainer.next('speed ')) as Speed;
  } finally {
    await trainer.stop();
  }
}
