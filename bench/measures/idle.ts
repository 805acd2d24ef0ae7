/** What a supervisor needs while its worker trains slowly: resident memory and share of one core. */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Measure } from '../measure.ts';
import { environment, Lines } from '../process.ts';
import { cpuMs, residentMB } from '../process-cost.ts';

export const idle: Measure = {
  name: 'idle',
  async run({ folder, root, quick }) {
    const args = [join(root, 'bin/nkat-recover.js'), 'run', join(root, 'bench/trainers/slow.ts')];
    const supervisor = new Lines(process.execPath, args, folder, environment(folder), 'SIGINT');
    const cpu: number[] = [];
    const memory: number[] = [];
    try {
      await supervisor.next('first-step');
      const pid = supervisor.child.pid ?? Number.NaN;
      if (!quick) await setTimeout(15_000);
      for (let minute = 0; minute < (quick ? 1 : 2); minute++) {
        const before = cpuMs(pid);
        const startedAt = performance.now();
        await setTimeout(quick ? 1_000 : 60_000);
        cpu.push(((cpuMs(pid) - before) / (performance.now() - startedAt)) * 100);
        memory.push(residentMB(pid));
      }
    } finally {
      await supervisor.stop();
    }
    const plain = { reference: null, theirs: [] };
    return [
      {
        name: 'memory of an idle supervisor',
        ...plain,
        unit: 'MB',
        ours: memory,
        target: { bound: 'at most', value: 90 },
      },
      { name: 'CPU of an idle supervisor', ...plain, unit: '%', ours: cpu, target: { bound: 'at most', value: 1 } },
    ];
  },
};
