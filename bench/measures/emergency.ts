/** An emergency save from the request to durable, hashing included, against dd with conv=fsync. */

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Measure } from '../measure.ts';
import { environment, timed, trainerArgs } from '../process.ts';

export const emergency: Measure = {
  name: 'emergency',
  async run(context) {
    const mib = context.quick ? 16 : 512;
    const pairs = context.quick ? 1 : 7;
    const env = environment(context.folder, {
      NKAT_DIR: join(context.folder, 'checkpoints'),
      NKAT_SAVE_EVERY: 'off',
      NKAT_KEEP: '2',
    });
    const args = [
      ...trainerArgs(context, 'big-model.ts'),
      '--mib',
      String(mib),
      '--mode',
      'emergency',
      '--steps',
      String(pairs + 1),
    ];
    const child = spawn(process.execPath, args, { cwd: context.folder, env, stdio: ['pipe', 'pipe', 'inherit'] });
    const copy = join(context.folder, 'dd.bin');
    const ours: number[] = [];
    const theirs: number[] = [];
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const { ms, status } = JSON.parse(line.replace('durable ', '')) as { ms: number; status: string };
        if (status !== 'durable') throw new Error(`the save ended as ${status}`);
        ours.push(ms);
        if (ours.length > pairs) break;
        theirs.push(timed('dd', ['if=/dev/zero', `of=${copy}`, 'bs=8M', `count=${mib / 8}`, 'conv=fsync']));
        rmSync(copy);
        child.stdin.write('\n');
      }
    } finally {
      child.kill('SIGKILL');
    }
    // The first save warms memory and code up; an emergency in mid-run finds them warm.
    return [
      {
        name: `emergency save of ${mib} MiB, request to durable`,
        reference: 'dd conv=fsync',
        unit: 'ms',
        ours: ours.slice(1),
        theirs,
        target: { bound: 'at most', value: 1 },
      },
      {
        name: `emergency save of ${mib} MiB, the first of a process`,
        reference: 'dd conv=fsync',
        unit: 'ms',
        ours: ours.slice(0, 1),
        theirs: theirs.slice(0, 1),
        target: { bound: 'at most', value: 1 },
      },
    ];
  },
};
