import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { acquireClaim, highestClaim, isReleased, readOwner, releaseClaim } from '../../src/checkpoint/claim.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import { currentOwner, identityOf, isAlive, relationOf } from '../../src/checkpoint/process-identity.ts';
import type { ClaimOutcome, Owner } from '../../src/checkpoint/types.ts';
import { systemError } from './faulty-files.ts';
import { rejection, temporaryDirectory } from './store.ts';

const ALONE = { role: 'alone', takeOver: false } as const;
const claim = (directory: string, takeOver = false): Promise<ClaimOutcome> =>
  acquireClaim(nodeFiles, directory, { role: 'alone', takeOver });

/** Writes a claim as another process, boot or machine would have. */
function writeOwner(directory: string, number: number, changes: Partial<Owner>): void {
  mkdirSync(join(directory, 'owners'), { recursive: true });
  const owner: Owner = { claim: number, at: new Date().toISOString(), ...currentOwner('alone'), ...changes };
  writeFileSync(join(directory, 'owners', `${number}.json`), JSON.stringify(owner));
}

/** A child that lives until its stdin closes; killed when the test ends. */
function sleeper(): ChildProcess & { pid: number } {
  const child = spawn(process.execPath, [
    '-e',
    'process.stdin.resume(); process.stdin.on("end", () => process.exit())',
  ]);
  onTestFinished(() => void child.kill('SIGKILL'));
  if (child.pid === undefined) throw new Error('the child did not start');
  return Object.assign(child, { pid: child.pid });
}

/** The compiled claim of the sources, for children that take part in the race. */
function racerScript(directory: string): string {
  const path = join(directory, 'racer.mjs');
  const built = (name: string): string => JSON.stringify(new URL(`../../dist/checkpoint/${name}.js`, import.meta.url));
  writeFileSync(
    path,
    `import { acquireClaim } from ${built('claim')};
    import { nodeFiles } from ${built('files')};
    process.stdout.write('ready\\n');
    for await (const chunk of process.stdin) {
      const directory = chunk.toString().trim();
      const outcome = await acquireClaim(nodeFiles, directory, { role: 'alone', takeOver: false });
      process.stdout.write(JSON.stringify({ status: outcome.status, claim: outcome.claim, by: outcome.by?.pid }) + '\\n');
    }`,
  );
  return path;
}

test('numbers rise, and the same process may claim again', async () => {
  const directory = temporaryDirectory();
  expect(await highestClaim(nodeFiles, directory)).toBe(0);
  expect(await readOwner(nodeFiles, directory)).toBeNull();
  expect(await claim(directory)).toEqual({ status: 'claimed', claim: 1, previous: null });
  expect(await claim(directory)).toMatchObject({
    status: 'claimed',
    claim: 2,
    previous: { claim: 1, pid: process.pid },
  });
  expect(await readOwner(nodeFiles, directory)).toMatchObject({ claim: 2, role: 'alone', pid: process.pid });
});

test('held by a living process, also with take-over; free when it is dead', async () => {
  const directory = temporaryDirectory();
  const child = sleeper();
  const identity = identityOf(child.pid);
  if (identity === null) throw new Error('the child is not there');
  writeOwner(directory, 4, identity);
  expect(await claim(directory)).toMatchObject({ status: 'held', elsewhere: false, by: { claim: 4, pid: child.pid } });
  expect(await claim(directory, true)).toMatchObject({ status: 'held', elsewhere: false });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isAlive(identity)).toBe(false);
  expect(await claim(directory)).toMatchObject({ status: 'claimed', claim: 5, previous: { pid: child.pid } });
});

test('a stopped owner keeps its claim; a pid that went to another process does not', async () => {
  const directory = temporaryDirectory();
  const child = sleeper();
  const identity = identityOf(child.pid);
  if (identity === null) throw new Error('the child is not there');
  child.kill('SIGSTOP');
  writeOwner(directory, 1, identity);
  expect(await claim(directory)).toMatchObject({ status: 'held' });
  writeOwner(directory, 2, { ...identity, startTime: '1' });
  expect(await claim(directory)).toMatchObject({ status: 'claimed', claim: 3 });
});

test('a zombie is dead', async () => {
  // A parent that never waits for its child; the child's pid is printed once it is a zombie.
  const script = `
import os, sys, time
pid = os.fork()
if pid == 0:
    os._exit(0)
while open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[0] != 'Z':
    time.sleep(0.001)
print(pid, flush=True)
sys.stdin.read()`;
  const parent = spawn('python3', ['-c', script]);
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
  const zombie = identityOf(Number(line));
  expect(zombie).not.toBeNull();
  if (zombie === null) return;
  expect(isAlive(zombie)).toBe(false);
  const directory = temporaryDirectory();
  writeOwner(directory, 1, zombie);
  expect(await claim(directory)).toMatchObject({ status: 'claimed', claim: 2 });
});

test('after a reboot it is free; on another machine or in another pid namespace only by take-over or release', async () => {
  const self = currentOwner('alone');
  const rebooted = temporaryDirectory();
  writeOwner(rebooted, 1, { bootId: 'an earlier boot', pidNamespace: 'pid:[1]' });
  expect(await claim(rebooted)).toMatchObject({ status: 'claimed', claim: 2, previous: { bootId: 'an earlier boot' } });
  for (const elsewhere of [
    { pidNamespace: 'pid:[1]' },
    { bootId: 'x', machineId: 'y' },
    { bootId: 'x', machineId: null },
  ]) {
    const directory = temporaryDirectory();
    writeOwner(directory, 1, elsewhere);
    expect(await claim(directory)).toMatchObject({ status: 'held', elsewhere: true, by: { claim: 1 } });
    expect(await claim(directory, true)).toMatchObject({ status: 'claimed', claim: 2 });
    writeOwner(directory, 3, elsewhere);
    await releaseClaim(nodeFiles, directory, 3);
    expect(await claim(directory)).toMatchObject({ status: 'claimed', claim: 4 });
  }
  const unknown = { bootId: null, machineId: null, pidNamespace: null };
  expect(relationOf({ ...unknown, host: 'a' }, { ...unknown, host: 'a' })).toBe('here');
  expect(relationOf({ ...unknown, host: 'a' }, { ...unknown, host: 'b' })).toBe('elsewhere');
  expect(relationOf(self, self)).toBe('here');
});

test('a released claim is free although its owner lives; its number stays used', async () => {
  const directory = temporaryDirectory();
  const child = sleeper();
  writeOwner(directory, 7, identityOf(child.pid) ?? {});
  expect(await isReleased(nodeFiles, directory, 7)).toBe(false);
  await releaseClaim(nodeFiles, directory, 7);
  await releaseClaim(nodeFiles, directory, 7);
  expect(await isReleased(nodeFiles, directory, 7)).toBe(true);
  expect(await claim(directory)).toMatchObject({ status: 'claimed', claim: 8 });
});

test('a claim file that is lost does not leave its number to be had as a released one', async () => {
  const directory = temporaryDirectory();
  const first = await claim(directory);
  if (first.status !== 'claimed') throw new Error('the claim is held');
  await releaseClaim(nodeFiles, directory, first.claim);
  rmSync(join(directory, 'owners', `${first.claim}.json`));
  const second = await claim(directory);
  if (second.status !== 'claimed') throw new Error('the claim is held');
  expect(await isReleased(nodeFiles, directory, second.claim)).toBe(false);
});

test('the last number there can be is an error, not an endless search', async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'owners'), { recursive: true });
  writeFileSync(join(directory, 'owners', '999999999999999.json'), '{}');
  expect(await rejection(claim(directory))).toMatchObject({ code: 'io' });
});

test('old claim files are removed, the last few stay', async () => {
  const directory = temporaryDirectory();
  for (let i = 0; i < 12; i++) {
    await claim(directory);
    if (i < 5) await releaseClaim(nodeFiles, directory, i + 1);
  }
  expect(readdirSync(join(directory, 'owners')).sort()).toEqual(['10.json', '11.json', '12.json', '8.json', '9.json']);
});

test('a claim is complete and synced before it has its number, and the number is durable before the answer', async () => {
  const directory = temporaryDirectory();
  const seen: string[] = [];
  const files: StoreFiles = {
    ...nodeFiles,
    async link(from, to) {
      expect(JSON.parse(readFileSync(from, 'utf8'))).toMatchObject({ claim: 1, pid: process.pid });
      expect(existsSync(to)).toBe(false);
      seen.push('link');
      await nodeFiles.link(from, to);
    },
    async syncDirectory(path) {
      if (path.endsWith('owners')) seen.push('syncDirectory');
      await nodeFiles.syncDirectory(path);
    },
  };
  await acquireClaim(files, directory, ALONE);
  expect(seen.slice(seen.indexOf('link'))).toEqual(['link', 'syncDirectory']);
});

test('a late process whose number was used and pruned meanwhile does not get it', async () => {
  const directory = temporaryDirectory();
  await claim(directory);
  let late = true;
  const files: StoreFiles = {
    ...nodeFiles,
    async link(from, to) {
      if (late) {
        late = false;
        for (let i = 0; i < 10; i++) await claim(directory); // 2 to 11; 2 is pruned
        expect(existsSync(to)).toBe(false);
      }
      await nodeFiles.link(from, to);
    },
  };
  expect(await acquireClaim(files, directory, ALONE)).toMatchObject({ status: 'claimed', claim: 12 });
  expect(await highestClaim(nodeFiles, directory)).toBe(12);
});

test('a file system without hard links has exclusive claims too', async () => {
  const directory = temporaryDirectory();
  const files: StoreFiles = { ...nodeFiles, link: () => Promise.reject(systemError('EPERM')) };
  expect(await acquireClaim(files, directory, ALONE)).toMatchObject({ status: 'claimed', claim: 1 });
  expect(await readOwner(files, directory)).toMatchObject({ claim: 1, pid: process.pid });
  const child = sleeper();
  writeOwner(directory, 2, identityOf(child.pid) ?? {});
  const late: StoreFiles = {
    ...files,
    list: async (path) => (await nodeFiles.list(path)).filter((name) => !name.startsWith('2')),
  };
  let looks = 0;
  const outcome = await acquireClaim(
    { ...files, list: (path) => (looks++ < 2 ? late : nodeFiles).list(path) },
    directory,
    ALONE,
  );
  expect(outcome).toMatchObject({ status: 'held', by: { claim: 2 } });
});

test('claims that cannot be read are an error, not a free session', async () => {
  const directory = temporaryDirectory();
  await claim(directory);
  const files: StoreFiles = { ...nodeFiles, list: () => Promise.reject(systemError('EIO')) };
  expect(await rejection(highestClaim(files, directory))).toMatchObject({ code: 'io' });
  expect(await rejection(acquireClaim(files, directory, ALONE))).toMatchObject({ code: 'io' });
});

test('several processes at once on one session: exactly one gets it', async () => {
  const directory = temporaryDirectory();
  const script = racerScript(directory);
  const racers = Array.from({ length: 3 }, () => {
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
  });
  const next = (): Promise<string[]> =>
    Promise.all(racers.map(async ({ lines }) => String((await lines.next()).value)));
  expect(await next()).toEqual(['ready', 'ready', 'ready']);
  for (let round = 0; round < 25; round++) {
    const session = join(directory, `session-${round}`);
    for (const { child } of racers) child.stdin.write(`${session}\n`);
    const outcomes = (await next()).map((line) => JSON.parse(line) as { status: string; by?: number });
    const winner = outcomes.findIndex(({ status }) => status === 'claimed');
    expect(outcomes.filter(({ status }) => status === 'claimed')).toHaveLength(1);
    for (const [index, { by }] of outcomes.entries()) {
      if (index !== winner) expect(by).toBe(racers[winner]?.child.pid);
    }
  }
  for (const { child } of racers) {
    child.stdin.end();
    await once(child, 'exit');
  }
});

test('identity: a pid is trusted only with its start time and boot', () => {
  const self = identityOf(process.pid);
  if (self === null) throw new Error('this process has no identity');
  expect(isAlive(self)).toBe(true);
  expect(isAlive({ ...self, startTime: '1' })).toBe(false);
  expect(isAlive({ ...self, bootId: 'another' })).toBe(false);
  expect(identityOf(4_194_303)).toBeNull();
});
