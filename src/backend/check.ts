/** Whether a backend works: its files are the ones that were built, and a process of its own trains a step with it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BACKEND_VARIABLE, type InstalledBackend } from '../installed-backend.ts';
import { Invalid, nullable, number, object, oneOf, read, string } from '../schema.ts';
import { hashOf } from './download.ts';
import type { RunProgram } from './program.ts';
import { workerEnvironment } from './worker-environment.ts';

export interface WorkingBackend {
  readonly status: 'works';
  readonly device: 'gpu' | 'cpu';
  readonly tensorflow: string;
  readonly loadMs: number;
  readonly stepMs: number;
  /** Of a backend that is made for a GPU and sees none: the reason, where somebody knows it. */
  readonly whyNoGpu: string | null;
}

export interface BrokenBackend {
  readonly status: 'broken';
  readonly reason: string;
}

export interface CheckOptions {
  readonly execPath: string;
  /** The program `worker/tfjs/check-native.js`. */
  readonly script: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Gets what TensorFlow says; null: nobody reads it. */
  readonly log: string | null;
  readonly run: RunProgram;
}

/** A cold disk reads 900 MB first; a GPU may compile its kernels. */
const CHECK_MS = 300_000;
const answerSchema = object({
  device: oneOf(['gpu', 'cpu']),
  tensorflow: string(100),
  loadMs: number(0),
  stepMs: number(0),
  whyNoGpu: nullable(string(1000)),
});
/** TensorFlow's words for a card that it cannot use. */
const NO_GPU =
  /could not find cuda|cannot dlopen|failed call to cuInit|no CUDA-capable device|CUDA_ERROR|Skipping registering GPU/i;
/** What stands before the text of a line of its log. */
const LOG_PREFIX = /^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: )?[IWEF]\S* .*?\] /;

export async function checkBackend(
  installed: InstalledBackend,
  options: CheckOptions,
): Promise<WorkingBackend | BrokenBackend> {
  const changed = await changedFile(installed);
  if (changed !== null) return { status: 'broken', reason: changed };
  const { execPath, script, environment, log, run } = options;
  const end = await run({
    file: execPath,
    args: [script],
    cwd: installed.folder,
    environment: {
      ...environment,
      ...workerEnvironment(installed, environment, false),
      [BACKEND_VARIABLE]: installed.folder,
    },
    log,
    timeoutMs: CHECK_MS,
  });
  if (end.code !== 0)
    return {
      status: 'broken',
      reason: lastError(end.tail) ?? `its check ended with ${end.code ?? end.errno ?? 'a signal'}`,
    };
  const answer = answerOf(end.stdout);
  if (answer === null) return { status: 'broken', reason: 'its check gave no answer' };
  const noGpu =
    installed.record.flavour === 'cpu' || answer.device === 'gpu'
      ? undefined
      : end.tail.find((line) => NO_GPU.test(line));
  return { status: 'works', ...answer, whyNoGpu: answer.whyNoGpu ?? noGpu?.replace(LOG_PREFIX, '').trim() ?? null };
}

async function changedFile({ folder, record }: InstalledBackend): Promise<string | null> {
  for (const [name, hash] of Object.entries(record.files)) {
    const path = join(folder, name);
    if (!existsSync(path)) return `${name} is missing`;
    if ((await hashOf(path)) !== hash) return `${name} is not the file that was installed`;
  }
  return null;
}

function answerOf(stdout: string): Omit<WorkingBackend, 'status'> | null {
  try {
    const answer = read(answerSchema, JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
    return answer instanceof Invalid ? null : answer;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Of an uncaught error of Node, its first line; the last line is Node's version. */
function lastError(tail: readonly string[]): string | null {
  return (
    tail
      .find((line) => /^(?:\w*Error)\b.*:/.test(line))
      ?.trim()
      .slice(0, 300) ??
    tail.at(-1) ??
    null
  );
}
