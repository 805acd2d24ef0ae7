/** A memory cgroup of a test's own, below the one that the tests run in; gone when the test ends, however it ends. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'vitest';
import { readOomKills } from '../../src/supervisor/oom-counter.ts';
import { atTestEnd } from './test-end.ts';
import { waitFor } from './wait-for.ts';

const MIB = 1024 * 1024;

export class MemoryCgroup {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** @throws where this machine does not let us */
  static make(mib: number): MemoryCgroup {
    const own = readOomKills();
    if (own === null) throw new Error('no memory cgroup has a counter of OOM kills here');
    const path = join(dirname(own.file), `nkat-test-${process.pid}-${process.hrtime.bigint()}`);
    mkdirSync(path);
    try {
      limit(path, mib * MIB);
    } catch (error) {
      rmdirSync(path);
      throw error;
    }
    return new MemoryCgroup(path);
  }

  /** Who is to be in it writes its pid here. */
  get members(): string {
    return join(this.path, 'cgroup.procs');
  }

  /** A process stays in it until it was waited for. */
  async remove(): Promise<void> {
    await waitFor('the cgroup to be empty', () => readFileSync(this.members, 'utf8') === '');
    rmdirSync(this.path);
  }
}

function limit(path: string, bytes: number): void {
  const v2 = existsSync(join(path, 'memory.max'));
  const limitFile = v2 ? 'memory.max' : 'memory.limit_in_bytes';
  if (!existsSync(join(path, limitFile))) throw new Error('the memory controller is not handed down to us');
  writeFileSync(join(path, limitFile), String(bytes));
  // Without swap: what does not fit is killed.
  const swap = v2 ? (['memory.swap.max', '0'] as const) : (['memory.memsw.limit_in_bytes', String(bytes)] as const);
  if (existsSync(join(path, swap[0]))) writeFileSync(join(path, swap[0]), swap[1]);
}

/** Null: this machine lets us make one. Else why not. */
async function whyNoCgroup(): Promise<string | null> {
  if (process.platform !== 'linux') return 'memory cgroups are a thing of Linux';
  try {
    await MemoryCgroup.make(64).remove();
    return null;
  } catch (error) {
    return `no memory cgroup can be made: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const why = await whyNoCgroup();

/** `test` with a cgroup of so many MiB; elsewhere it is skipped and says why. */
export function testWithMemoryCgroup(name: string, mib: number, work: (cgroup: MemoryCgroup) => Promise<void>): void {
  if (why !== null) {
    test.skip(`${name} (${why})`, () => undefined);
    return;
  }
  test(name, async () => {
    const cgroup = MemoryCgroup.make(mib);
    atTestEnd(() => cgroup.remove());
    await work(cgroup);
  });
}
