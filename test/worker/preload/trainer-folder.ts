/** A trainer in a folder of its own, outside of this repository, and a real node that runs it behind the preload. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
export const PRELOAD = join(ROOT, 'dist/worker/preload.js');

export interface Outcome {
  readonly code: number | null;
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class TrainerFolder {
  readonly #base = mkdtempSync(join(tmpdir(), 'nkat-preload-'));
  /** Spaces and Unicode, as people have them. */
  readonly path = join(this.#base, 'mein Träiner 火');
  readonly home = join(this.#base, 'home');

  constructor(files: Readonly<Record<string, string>>) {
    mkdirSync(this.path);
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  write(name: string, text: string): void {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  run(script = 'train.ts', environment: Readonly<Record<string, string>> = {}): Outcome {
    const { status, pid, stdout, stderr } = spawnSync(process.execPath, ['--import', PRELOAD, script], {
      cwd: this.path,
      env: { ...process.env, NODE_OPTIONS: '', NKAT_HOME: this.home, ...environment },
      encoding: 'utf8',
    });
    return { code: status, pid, stdout, stderr };
  }

  [Symbol.dispose](): void {
    rmSync(this.#base, { recursive: true, force: true });
  }
}
