/** The root of the copies is made and marked once; where its disk is away, a second session makes nothing there either. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { openBackupRoot } from '../../src/checkpoint/backup-root.ts';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { systemError, watchedFiles } from './faulty-files.ts';

let home: string;
let root: string;
beforeEach(() => {
  const directory = temporaryDirectory();
  home = join(directory, 'home');
  root = join(directory, 'disk', 'backups');
});

const listFile = (): string => join(home, 'backup-roots.txt');
const open = (path = root, files = nodeFiles): Promise<void> =>
  openBackupRoot(files, { root: path, home, listFile: listFile() });

test('a root is made, marked and listed once', async () => {
  await open();
  await open();
  expect(readdirSync(root)).toEqual(['.nkat-recover']);
  expect(readFileSync(listFile(), 'utf8')).toBe(`${root}\n`);
});

test('one that stood there before, with copies in it, is taken and marked', async () => {
  mkdirSync(join(root, '20261122_120000_aaaa'), { recursive: true });
  await open();
  expect(readdirSync(root).sort()).toEqual(['.nkat-recover', '20261122_120000_aaaa']);
});

test.each(['its mount point is there', 'its mount point is not there'])(
  'a disk that is away is told as that, and nothing is made below it: %s',
  async (how) => {
    await open();
    renameSync(root, `${root}-away`);
    if (how === 'its mount point is there') mkdirSync(root);
    await expect(open()).rejects.toMatchObject({
      code: 'store-missing',
      path: root,
      message: expect.stringContaining('is its disk mounted?') as string,
      hint: expect.stringContaining(`mkdir -p '${join(root, '.nkat-recover')}'`) as string,
    });
    expect(existsSync(root) ? readdirSync(root) : []).toEqual([]);
    rmSync(root, { recursive: true, force: true });
    renameSync(`${root}-away`, root);
    await open();
    expect(readdirSync(root)).toEqual(['.nkat-recover']);
  },
);

test('what the hint says helps where it was removed on purpose; in the state home it needs no help', async () => {
  await open();
  rmSync(root, { recursive: true });
  mkdirSync(join(root, '.nkat-recover'), { recursive: true });
  await open();
  const own = join(home, 'backups');
  await open(own);
  rmSync(own, { recursive: true });
  await open(own);
  expect(readdirSync(own)).toEqual(['.nkat-recover']);
});

test('what cannot be a folder is refused with its path, and not remembered', async () => {
  const file = join(home, 'a file');
  mkdirSync(home);
  writeFileSync(file, '');
  const refused = (path: string, message: string): Promise<void> =>
    expect(open(path)).rejects.toMatchObject({
      code: 'io',
      path,
      message: expect.stringContaining(message) as string,
      hint: expect.stringContaining('--backups') as string,
    });
  await refused(file, 'no folder');
  await refused(join(file, 'below'), 'no folder');
  await refused('/dev/null', 'no folder');
  await refused('/proc/backups', 'no folder can be made there (ENOENT');
  expect(existsSync(listFile())).toBe(false);
});

test.each([
  ['EACCES', 'may not write'],
  ['EROFS', 'read-only'],
] as const)('a place that takes no folder of ours (%s) is refused', async (errno, message) => {
  mkdirSync(root, { recursive: true });
  const files = watchedFiles(nodeFiles, ({ name, path }) => {
    if (name === 'makeDirectory' && path.startsWith(root)) throw systemError(errno);
  });
  await expect(open(root, files)).rejects.toMatchObject({ message: expect.stringContaining(message) as string });
});

test('a full disk keeps no session from being made; the root is marked when there is room', async () => {
  const full = watchedFiles(nodeFiles, ({ name, path }) => {
    if (name === 'makeDirectory' && path.startsWith(root)) throw systemError('ENOSPC');
  });
  await open(root, full);
  expect(existsSync(listFile())).toBe(false);
  await open();
  expect(readdirSync(root)).toEqual(['.nkat-recover']);
});
