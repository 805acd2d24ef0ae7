/** What one periodic save takes from training: in all, and at its longest, against a warm memory copy of its size. */
import { type Measure, median } from '../measure.ts';
import { alone } from '../process.ts';

export const periodicSave: Measure = {
  name: 'periodic-save',
  async run(context) {
    const mib = context.quick ? 16 : 512;
    const saves = context.quick ? 2 : 9;
    const every = context.quick ? 5 : 40;
    const args = ['--mib', mib, '--steps', (saves + 1) * every, '--every', every].map(String);
    const env = { NKAT_DIR: `${context.folder}/checkpoints`, NKAT_SAVE_EVERY_STEPS: String(every), NKAT_KEEP: '2' };
    const trainer = alone(context, context.folder, 'big-model.ts', args, env);
    const totals: number[] = [];
    const longest: number[] = [];
    const copies: number[] = [];
    try {
      // The steps before the first save, which is not among them.
      await trainer.next('save ');
      for (let save = 0; save < saves; save++) {
        const { stalls, copyMs } = JSON.parse(await trainer.next('save ')) as { stalls: number[]; copyMs: number[] };
        const usual = median(stalls);
        totals.push(stalls.reduce((sum, stall) => sum + Math.max(0, stall - usual), 0));
        longest.push(Math.max(...stalls));
        copies.push(median(copyMs));
      }
    } finally {
      await trainer.stop();
    }
    const reference = `warm copy of ${mib} MiB`;
    return [
      {
        name: `periodic save of ${mib} MiB, time taken from training`,
        reference,
        unit: 'ms',
        ours: totals,
        theirs: copies,
        target: { bound: 'at most', value: 1.5 },
      },
      {
        name: `periodic save of ${mib} MiB, longest single stall`,
        reference,
        unit: 'ms',
        ours: longest,
        theirs: copies,
        target: { bound: 'at most', value: 0.2 },
      },
    ];
  },
};
