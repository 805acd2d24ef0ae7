/** Bad day 8: the kernel's OOM killer, in a memory cgroup that the worker alone is in. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect } from 'vitest';
import { EvidenceCollector } from '../../src/supervisor/evidence.ts';
import { OomCounter } from '../../src/supervisor/oom-counter.ts';
import { testWithMemoryCgroup } from '../rig/memory-cgroup.ts';
import { waitFor } from '../rig/wait-for.ts';
import { World } from './rig.ts';

const HUNGRY = join(fileURLToPath(new URL('../../fixtures/trainers', import.meta.url)), 'hungry.mjs');

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

testWithMemoryCgroup(
  'an OOM kill is told as such; one retry without progress, then the run ends, and the supervisor lives through it',
  192,
  async (cgroup) => {
    const run = world.run([HUNGRY, cgroup.members], ['--save-every', 'off']);
    await run.ended(1);
    const ends = run.named('worker-ended');
    expect(ends.map((event) => event.class)).toEqual(['host-oom', 'host-oom', 'host-oom']);
    for (const { signal, reason } of ends) {
      expect(signal).toBe('SIGKILL');
      expect(reason).toMatch(/for want of memory \(.*(Killed process \d+|oom_kill while it ran)/);
    }
    // The first made progress: it is the second that is retried once.
    expect(run.named('checkpoint-verified')).toHaveLength(1);
    expect(run.named('session-ended')[0]?.reason).toContain('out of host memory again, without progress');
  },
);

/** Enters the cgroup, says so by being in it, and takes memory when stdin closes. */
const HOG = `require('fs').writeFileSync(process.argv[1], String(process.pid));
process.stdin.on('end', () => { const all = []; for (;;) all.push(Buffer.alloc(8 << 20, 1)); }).resume();`;

testWithMemoryCgroup(
  'without the right to read the log: the counter of the cgroup that the worker is in',
  96,
  async (cgroup) => {
    const hog = () => spawn(process.execPath, ['-e', HOG, cgroup.members], { stdio: ['pipe', 'ignore', 'ignore'] });
    const isMember = (pid = 0) => readFileSync(cgroup.members, 'utf8').split('\n').includes(String(pid));
    const [worker, other] = [hog(), hog()];
    const pid = worker.pid ?? 0;
    try {
      await waitFor('both to be in the cgroup', () => isMember(worker.pid) && isMember(other.pid));
      const counter = new OomCounter();
      counter.look(pid);
      other.stdin.end();
      await once(other, 'exit');
      // The other one was killed, and the worker outlived that.
      expect(counter.risen()?.kills).toBe(1);
      counter.look(pid);
      counter.look(pid);
      expect(counter.risen()).toBeNull();
      worker.stdin.end();
      const [code, signal] = await once(worker, 'exit');
      const collector = new EvidenceCollector({
        counter,
        oomRecords: async () => null,
        logNamesOurPids: () => true,
        uptimeUs: () => 0,
      });
      const { oomRecord } = await collector.gather({
        end: { code, signal, source: 'exit' },
        pids: [pid],
        lastLines: [],
      });
      expect(oomRecord).toContain(`1 oom_kill while it ran (${cgroup.path}`);
    } finally {
      worker.kill('SIGKILL');
      other.kill('SIGKILL');
    }
  },
);
