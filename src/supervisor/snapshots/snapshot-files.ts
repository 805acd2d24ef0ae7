/** The snapshots of one session: small JSON files, numbered, the oldest of them removed. */
import { mkdir, readdir, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../errors.ts';

/** Of one session. Each has some 200 KiB where there is one card. */
export const MOST_SNAPSHOTS = 10;
const NAME = /^(\d{4,})-[a-z-]+-attempt-\d+\.json$/;

/** @param outputDirectory `<logs>/<session>` */
export function snapshotFolder(outputDirectory: string): string {
  return join(outputDirectory, 'snapshots');
}

/** Paths, oldest first; none where there is no folder. */
export async function listSnapshots(outputDirectory: string): Promise<string[]> {
  const folder = snapshotFolder(outputDirectory);
  return (await namesIn(folder)).map((name) => join(folder, name));
}

/** Makes room, and a path that nobody has. @param why words of small letters and hyphens */
export async function nextSnapshotPath(outputDirectory: string, why: string, attempt: number): Promise<string> {
  const folder = snapshotFolder(outputDirectory);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const names = await namesIn(folder);
  for (const name of names.slice(0, Math.max(0, names.length + 1 - MOST_SNAPSHOTS))) await unlink(join(folder, name));
  const number = numberOf(names.at(-1) ?? '') + 1;
  return join(folder, `${String(number).padStart(4, '0')}-${why}-attempt-${attempt}.json`);
}

/** Whoever reads it finds the old text or the new one, never a part. Not synced: it is evidence, no checkpoint. */
export async function writeSnapshot(path: string, snapshot: object): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, `${JSON.stringify(snapshot)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => NAME.test(name));
    return names.sort((a, b) => numberOf(a) - numberOf(b));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return [];
  }
}

function numberOf(name: string): number {
  return Number(NAME.exec(name)?.[1] ?? 0);
}
