/** How far the output of an attempt was read, so that an adopting supervisor goes on where the last one was. */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { errnoOf } from '../errors.ts';

interface TailOffsets {
  readonly stdout: number;
  readonly stderr: number;
}

/** Offsets of an earlier tail; zeros where there is no whole record (lines then come again, none is lost). */
export function readTailOffsets(path: string): TailOffsets {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return { stdout: 0, stderr: 0 };
    return {
      stdout: 'stdout' in value ? offset(value.stdout) : 0,
      stderr: 'stderr' in value ? offset(value.stderr) : 0,
    };
  } catch (error) {
    if (errnoOf(error) === null && !(error instanceof SyntaxError)) throw error;
    return { stdout: 0, stderr: 0 };
  }
}

export async function writeTailOffsets(path: string, offsets: TailOffsets): Promise<void> {
  const temporary = `${path}.pending`;
  await writeFile(temporary, `${JSON.stringify(offsets)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}

function offset(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;
}
