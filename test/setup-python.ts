/** Makes `.venv` in the repository's root with the packages that other readers of our files need; once. */
import { execFile } from 'node:child_process';
import { access, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const VENV = join(ROOT, '.venv');
const PACKAGES = ['safetensors', 'numpy'];
const MARK = join(VENV, 'nkat-packages');

/** Python interpreter that has safetensors and numpy. */
export const PYTHON = process.platform === 'win32' ? join(VENV, 'Scripts', 'python.exe') : join(VENV, 'bin', 'python');

/** Vitest globalSetup; nothing to do where the environment is complete. */
export default async function setUpPython(): Promise<void> {
  if (await isComplete()) return;
  const run = promisify(execFile);
  await rm(VENV, { recursive: true, force: true });
  await run(process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', VENV]);
  await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES]);
  // The mark comes last and in one step: an environment that was cut off half-made is made anew.
  await writeFile(`${MARK}.part`, PACKAGES.join('\n'));
  await rename(`${MARK}.part`, MARK);
}

async function isComplete(): Promise<boolean> {
  try {
    await access(PYTHON);
    return (await readFile(MARK, 'utf8')) === PACKAGES.join('\n');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
