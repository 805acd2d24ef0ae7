/** `list` on a machine with a long history against a Node process that does nothing. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Measure } from '../measure.ts';
import { environment, timed } from '../process.ts';

export const list: Measure = {
  name: 'list',
  async run({ folder, root, quick }) {
    const home = join(folder, 'home');
    const sessions = quick ? 100 : 10_000;
    const generator = ['--import', join(root, 'dist/worker/preload.js'), join(root, 'bench/make-history.ts')];
    // The index is all that `list` reads.
    const size = ['--sessions', String(sessions), '--checkpoints', '20', '--database-only'];
    const env = environment(folder);
    execFileSync(process.execPath, [...generator, home, ...size], { env, stdio: 'ignore' });
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let pair = 0; pair < (quick ? 1 : 15); pair++) {
      theirs.push(timed(process.execPath, ['-e', '0'], env));
      ours.push(timed(process.execPath, [join(root, 'bin/nkat-recover.js'), 'list'], env));
    }
    const name = `list with ${sessions} sessions of 20 checkpoints`;
    return [{ name, reference: 'node -e 0', unit: 'ms', ours, theirs, target: { bound: 'at most', value: 4 } }];
  },
};
