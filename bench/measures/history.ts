/** What a long history costs the commands of every day: each with many sessions in the state home against the same with one. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Measure, MeasureContext, Row } from '../measure.ts';
import { environment, Lines, timed } from '../process.ts';

/** "Does not grow noticeably": no more than a person at a prompt would take for noise. */
const TARGET = { bound: 'at most', value: 1.15 } as const;

export const history: Measure = {
  name: 'history',
  async run(context) {
    const rows: Row[] = [];
    const short = withHistory(context, 1);
    for (const sessions of context.quick ? [20] : [1_000, 10_000]) {
      const long = withHistory(context, sessions);
      for (const [name, time] of Object.entries(COMMANDS)) {
        const ours: number[] = [];
        const theirs: number[] = [];
        for (let pair = 0; pair < (context.quick ? 1 : 10); pair++) {
          theirs.push(await time(context, short));
          ours.push(await time(context, long));
        }
        const reference = 'the same with 1 session';
        rows.push({ name: `${name}, ${sessions} sessions`, reference, unit: 'ms', ours, theirs, target: TARGET });
      }
    }
    return rows;
  },
};

type Timing = (context: MeasureContext, folder: string) => number | Promise<number>;

const COMMANDS: Readonly<Record<string, Timing>> = {
  'show latest': (context, folder) => {
    const args = [join(context.root, 'bin/nkat-recover.js'), 'show', 'latest'];
    return timed(process.execPath, args, environment(folder));
  },
  'run until the worker trains': (context, folder) =>
    toTraining(context, folder, ['run', '--new', join(context.root, 'bench/trainers/slow.ts')]),
  // The run before it was interrupted, and is the newest.
  'resume latest until it trains': (context, folder) => toTraining(context, folder, ['resume', 'latest']),
};

async function toTraining({ root }: MeasureContext, folder: string, args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const command = [join(root, 'bin/nkat-recover.js'), ...args];
  const run = new Lines(process.execPath, command, folder, environment(folder), 'SIGINT');
  try {
    await run.next('restored');
    return performance.now() - startedAt;
  } finally {
    await run.stop();
  }
}

/** A folder whose state home holds so many sessions of 20 checkpoints, in the index and on the disk. */
function withHistory({ folder, root }: MeasureContext, sessions: number): string {
  const place = join(folder, `${sessions}`);
  mkdirSync(place);
  const generator = ['--import', join(root, 'dist/worker/preload.js'), join(root, 'bench/make-history.ts')];
  const size = ['--sessions', String(sessions), '--checkpoints', '20'];
  execFileSync(process.execPath, [...generator, join(place, 'home'), ...size], { stdio: 'ignore' });
  return place;
}
