/**
 * The locks of the connection that follows a lost file. Without them the next process that opens the database cuts off
 * the shared memory that we have mapped, and the kernel kills us with SIGBUS.
 */
import { readFileSync, rmSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openTestDatabase } from './open-test-database.ts';
import { attemptRow, sessionRow } from './rows.ts';

/** Locks that this process holds on a file, as the kernel tells them. Source: proc_locks(5). */
function ownLocks(path: string): string[] {
  const { ino } = statSync(path);
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .filter((line) => {
      const [, , , , pid, file] = line.trim().split(/\s+/);
      return pid === String(process.pid) && file?.endsWith(`:${ino}`) === true;
    });
}

test.each([
  ['the file is deleted and its side files stay', ['']],
  ['the file and its side files are deleted', ['', '-wal', '-shm']],
  ['the log is deleted and the file stays', ['-wal']],
])('%s: after the next write we hold our locks', async (_how, suffixes) => {
  const { path, database } = openTestDatabase();
  await database.write(({ sessions }) => sessions.upsert(sessionRow('a')));
  expect(ownLocks(path)).not.toEqual([]);
  expect(ownLocks(`${path}-shm`)).not.toEqual([]);
  for (const suffix of suffixes) rmSync(`${path}${suffix}`);
  await database.write(({ sessions }) => sessions.upsert(sessionRow('a')));
  await database.write(({ attempts }) => attempts.upsert(attemptRow('a', 1)));
  expect(ownLocks(path)).not.toEqual([]);
  expect(ownLocks(`${path}-shm`)).not.toEqual([]);
});
