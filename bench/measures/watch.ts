/**
 * What the watch over the cards costs a supervisor: the same idle run beside a fake nvidia-smi that prints a row a second, and without
 * any, both at the same time, so that what else the machine does hits both alike. The fake is a Node program and far heavier than the
 * real one: its own cost is not counted. Memory comes and goes with the garbage collector: the median of a look a second counts.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type Measure, type MeasureContext, median } from '../measure.ts';
import { environment, Lines } from '../process.ts';
import { cpuMs, residentMB } from '../process-cost.ts';

interface Cost {
  readonly cpuPercent: number;
  readonly memoryMB: number;
}

/** The start is not what is measured. */
const SETTLE_MS = 30_000;
const WINDOW_MS = 60_000;
const ROUNDS = 3;

export const watch: Measure = {
  name: 'watch',
  async run(context) {
    const withCards: Cost[] = [];
    const without: Cost[] = [];
    for (let round = 0; round < (context.quick ? 1 : ROUNDS); round += 1) {
      const [plain, watching] = await Promise.all([
        costOf(context, `without-${round}`, '/nowhere/nvidia-smi'),
        costOf(context, `with-${round}`, fakeOf(context)),
      ]);
      without.push(plain);
      withCards.push(watching);
    }
    const plain = { reference: null, theirs: [] };
    const added = (figure: (cost: Cost) => number): number[] =>
      withCards.map((cost, at) => figure(cost) - figure(without[at] ?? cost));
    return [
      {
        name: 'CPU that the watch over the cards adds',
        ...plain,
        unit: '%',
        ours: added(({ cpuPercent }) => cpuPercent),
        target: { bound: 'at most', value: 0.3 },
      },
      {
        name: 'memory that the watch over the cards adds',
        ...plain,
        unit: 'MB',
        ours: added(({ memoryMB }) => memoryMB),
        target: { bound: 'at most', value: 10 },
      },
    ];
  },
};

function fakeOf({ root }: MeasureContext): string {
  return join(root, 'fixtures/fake-nvidia-smi/nvidia-smi.mjs');
}

async function costOf({ folder, root, quick }: MeasureContext, name: string, smi: string): Promise<Cost> {
  const home = join(folder, name);
  const args = [join(root, 'bin/nkat-recover.js'), 'run', '--new', join(root, 'bench/trainers/slow.ts')];
  const supervisor = new Lines(
    process.execPath,
    args,
    folder,
    environment(folder, { NKAT_HOME: home, NKAT_NVIDIA_SMI: smi }),
    'SIGINT',
  );
  try {
    await supervisor.next('first-step');
    const pid = supervisor.child.pid ?? Number.NaN;
    await setTimeout(quick ? 3_000 : SETTLE_MS);
    const before = cpuMs(pid);
    const startedAt = performance.now();
    const memory: number[] = [];
    while (performance.now() - startedAt < (quick ? 5_000 : WINDOW_MS)) {
      await setTimeout(1_000);
      memory.push(residentMB(pid));
    }
    const cpuPercent = ((cpuMs(pid) - before) / (performance.now() - startedAt)) * 100;
    return { cpuPercent, memoryMB: median(memory) };
  } finally {
    await supervisor.stop();
  }
}
