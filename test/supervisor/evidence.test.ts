import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EvidenceCollector, type EvidenceSources } from '../../src/supervisor/evidence.ts';
import { type KernelLine, readKmsgRecord, readPrintedLine } from '../../src/supervisor/kernel-line.ts';
import { readKernelLog } from '../../src/supervisor/kernel-log.ts';
import { OomCounter, type OomReading, readOomKills } from '../../src/supervisor/oom-counter.ts';
import { oomCounterFiles, parseOomKills, readOomKill } from '../../src/supervisor/oom-records.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const MINUTE_US = 60_000_000;
const killed = { code: null, signal: 'SIGKILL', source: 'exit' } as const;
const worker = { end: killed, pids: [4241, 4242], lastLines: [] };
const KILLED =
  'Memory cgroup out of memory: Killed process 4242 (node) total-vm:11245228kB, anon-rss:2096388kB, file-rss:41216kB, shmem-rss:0kB, UID:1000 pgtables:5480kB oom_score_adj:0';

function sources(overrides: Partial<EvidenceSources> = {}): EvidenceSources {
  const counter = new OomCounter({ counterOf: () => null, isUnhurt: () => true });
  const uptimeUs = () => 100 * MINUTE_US;
  return { counter, oomRecords: async () => null, logNamesOurPids: () => true, uptimeUs, ...overrides };
}

/** Counter files of two cgroups, and a worker that is in one of them. */
class Cgroups {
  readonly #folder = temporaryDirectory();
  readonly ours = this.#file('ours', 7);
  worker: string = this.ours;
  unhurt = true;

  #file(name: string, kills: number): string {
    const file = join(this.#folder, name);
    writeFileSync(file, `oom_kill_disable 0\nunder_oom 0\noom_kill ${kills}\n`);
    return file;
  }

  set(name: string, kills: number): string {
    return this.#file(name, kills);
  }

  counter(): OomCounter {
    return new OomCounter({
      counterOf: (): OomReading => ({ file: this.worker, kills: readKills(this.worker) }),
      isUnhurt: () => this.unhurt,
    });
  }
}

function readKills(file: string): number {
  return parseOomKills(readFileSync(file, 'utf8')) ?? -1;
}

test('the counters of both cgroup versions', () => {
  expect(parseOomKills('low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n')).toBe(2);
  expect(parseOomKills('oom_kill_disable 0\nunder_oom 0\noom_kill 5\n')).toBe(5);
  expect(parseOomKills('low 0\n')).toBeNull();
});

test('the counter of a systemd unit', () => {
  const mountinfo = '35 24 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate';
  expect(oomCounterFiles('0::/user.slice/a:b.scope\n', mountinfo)).toEqual([
    '/sys/fs/cgroup/user.slice/a:b.scope/memory.events.local',
    '/sys/fs/cgroup/user.slice/a:b.scope/memory.events',
  ]);
});

test('the counter in containers, whose mounts begin below the root or whose paths are cut off', () => {
  const below = '35 24 0:30 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw';
  expect(oomCounterFiles('0::/docker/abc\n', below)).toEqual([
    '/sys/fs/cgroup/memory.events.local',
    '/sys/fs/cgroup/memory.events',
  ]);
  expect(oomCounterFiles('0::/docker/abc/job\n', below)).toEqual([
    '/sys/fs/cgroup/job/memory.events.local',
    '/sys/fs/cgroup/job/memory.events',
  ]);
  expect(oomCounterFiles('0::/docker/abcdef\n', below)).toEqual([
    '/sys/fs/cgroup/memory.events.local',
    '/sys/fs/cgroup/memory.events',
  ]);
  expect(oomCounterFiles('0::/../other\n', below)).toEqual([
    '/sys/fs/cgroup/memory.events.local',
    '/sys/fs/cgroup/memory.events',
  ]);
});

test('a machine with both versions: the one with the memory controller is among them', () => {
  const mountinfo = [
    '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755',
    '34 31 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu',
    '35 31 0:32 / /sys/fs/cgroup/memory\\040v1 rw - cgroup cgroup rw,memory',
    '41 31 0:38 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw',
  ].join('\n');
  expect(oomCounterFiles('8:pids:/\n4:cpu,memory:/job\n0::/\n', mountinfo)).toEqual([
    '/sys/fs/cgroup/memory v1/job/memory.oom_control',
    '/sys/fs/cgroup/unified/memory.events.local',
    '/sys/fs/cgroup/unified/memory.events',
  ]);
});

test('an OOM kill in the kernel log', () => {
  const found = (line: KernelLine | null) => (line === null ? null : readOomKill(line));
  const expected = { pid: 4242, atUs: 5_140_900_123, message: KILLED };
  expect(found(readKmsgRecord(`3,901,5140900123,-;${KILLED}\n SUBSYSTEM=x\n`))).toEqual(expected);
  const seven = '3,1,2,c,caller=T1;Out of memory: Killed process 7 (python3) total-vm:1kB';
  expect(found(readKmsgRecord(seven))?.pid).toBe(7);
  expect(found(readKmsgRecord('6,1,2,-;oom_reaper: reaped process 4242 (node)'))).toBeNull();
  expect(found(readKmsgRecord(''))).toBeNull();
  expect(found(readPrintedLine(`[ 5140.900123] ${KILLED}`))).toEqual(expected);
  expect(found(readPrintedLine(`[ 5140.900123] ada-desk kernel: ${KILLED}`))).toEqual(expected);
  expect(found(readPrintedLine(KILLED))).toEqual({ ...expected, atUs: null });
});

test('a kernel record that names the worker is the evidence', async () => {
  const collector = new EvidenceCollector(
    sources({
      oomRecords: async () => [
        { pid: 1, atUs: 1, message: 'other' },
        { pid: 4242, atUs: 101 * MINUTE_US, message: KILLED },
      ],
    }),
  );
  expect(await collector.gather(worker)).toEqual({ stderrTail: [], oomRecord: KILLED });
  expect(await collector.gather({ ...worker, pids: [43] })).toMatchObject({ oomRecord: null });
  expect(await collector.gather({ ...worker, pids: [] })).toMatchObject({ oomRecord: null });
});

test('a record of an earlier process with the same pid is none', async () => {
  const collector = new EvidenceCollector(
    sources({ oomRecords: async () => [{ pid: 4242, atUs: 90 * MINUTE_US, message: KILLED }] }),
  );
  expect(await collector.gather(worker)).toMatchObject({ oomRecord: null });
});

test('a counter that rose since the launch is evidence, one that was high before is none', async () => {
  const cgroups = new Cgroups();
  const collector = new EvidenceCollector(sources({ counter: cgroups.counter() }));
  expect(await collector.gather(worker)).toMatchObject({ oomRecord: null });
  cgroups.set('ours', 9);
  expect((await collector.gather(worker)).oomRecord).toContain('2 oom_kill');
});

test('kills that the worker outlived were not its own', () => {
  const cgroups = new Cgroups();
  const counter = cgroups.counter();
  counter.look(4242);
  cgroups.set('ours', 8);
  counter.look(4242);
  // It may be on its way to this very worker.
  expect(counter.risen()?.kills).toBe(1);
  counter.look(4242);
  expect(counter.risen()).toBeNull();
  cgroups.set('ours', 9);
  cgroups.unhurt = false;
  // It is dying of it, however often it is looked at meanwhile.
  for (let look = 0; look < 3; look += 1) counter.look(4242);
  expect(counter.risen()?.kills).toBe(1);
});

test('a worker in a cgroup of its own: its counter counts, from when it came there; ours says nothing any more', () => {
  const cgroups = new Cgroups();
  const counter = cgroups.counter();
  cgroups.worker = cgroups.set('its own', 3);
  counter.look(4242);
  expect(counter.risen()).toBeNull();
  cgroups.set('ours', 20);
  expect(counter.risen()).toBeNull();
  cgroups.set('its own', 4);
  expect(counter.risen()).toEqual({ file: cgroups.worker, kills: 1 });
});

test('a counted kill that the log gives to another process is none of ours; the log of a host names nobody here', async () => {
  const cgroups = new Cgroups();
  const oomRecords = async () => [{ pid: 99, atUs: 101 * MINUTE_US, message: KILLED.replace('4242', '99') }];
  const collect = (logNamesOurPids: () => boolean) =>
    new EvidenceCollector(sources({ counter: cgroups.counter(), oomRecords, logNamesOurPids }));
  const [onHost, inContainer] = [collect(() => true), collect(() => false)];
  cgroups.set('ours', 8);
  expect(await onHost.gather(worker)).toMatchObject({ oomRecord: null });
  expect((await inContainer.gather(worker)).oomRecord).toContain('1 oom_kill');
  cgroups.set('ours', 9);
  expect((await onHost.gather(worker)).oomRecord).toContain('2 oom_kill');
});

test('what may not be read here is no error', async () => {
  const kills = readOomKills();
  expect(kills === null || kills.kills >= 0).toBe(true);
  const records = await readKernelLog(readOomKill);
  expect(records === null || Array.isArray(records)).toBe(true);
  const collector = new EvidenceCollector();
  expect(await collector.gather({ ...worker, pids: [process.pid] })).toMatchObject({ oomRecord: null });
});

test('an end that was no SIGKILL is not blamed on memory; what vanished may be', async () => {
  const collector = new EvidenceCollector(
    sources({ oomRecords: async () => [{ pid: 4242, atUs: null, message: KILLED }] }),
  );
  const failed = { code: 1, signal: null, source: 'exit' } as const;
  const vanished = { code: null, signal: null, source: 'vanished' } as const;
  expect(await collector.gather({ ...worker, end: failed })).toMatchObject({ oomRecord: null });
  expect(await collector.gather({ ...worker, end: vanished })).toMatchObject({ oomRecord: KILLED });
});

test('the newest lines of stderr are kept', async () => {
  const lastLines = Array.from({ length: 50 }, (_, line) => String(line));
  const { stderrTail } = await new EvidenceCollector(sources()).gather({ ...worker, lastLines });
  expect(stderrTail).toEqual(lastLines.slice(10));
});
