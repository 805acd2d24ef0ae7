/** Launches fixtures for the tests of the acting parts; whatever is left of them is killed when the test ends. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AttemptFiles, attemptFiles } from '../../src/supervisor/attempt-files.ts';
import { type LaunchSpec, launchWorker } from '../../src/supervisor/launch.ts';
import { endOrphans, findOrphans } from '../../src/supervisor/orphans.ts';
import type { WorkerProcess } from '../../src/supervisor/worker-process.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';
import { atTestEnd } from '../rig/test-end.ts';
import { waitFor } from '../rig/wait-for.ts';

export function workerFixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/workers/${name}`, import.meta.url));
}

/** `node fixtures/workers/<name> ...args` as a command. */
export function fixtureCommand(name: string, ...args: string[]): string[] {
  return [process.execPath, workerFixture(name), ...args];
}

/** Ids differ from test to test and run to run, so that no test sees another's processes. */
export function uniqueSession(): string {
  return `test_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
}

export function launchSpec(overrides: Partial<LaunchSpec> = {}): LaunchSpec {
  const session = overrides.session ?? uniqueSession();
  atTestEnd(async () => {
    await endOrphans(() => findOrphans(session), 10_000);
  });
  return {
    session,
    trainer: workerFixture('exits.mjs'),
    args: [],
    command: null,
    cwd: process.cwd(),
    environment: {},
    outputDirectory: join(temporaryDirectory(), 'a folder with späces'),
    attempt: 1,
    preload: workerFixture('announces.mjs'),
    ...overrides,
  };
}

export interface Launched {
  readonly spec: LaunchSpec;
  readonly worker: WorkerProcess;
  readonly files: AttemptFiles;
}

export async function launch(overrides: Partial<LaunchSpec> = {}): Promise<Launched> {
  const spec = launchSpec(overrides);
  const outcome = await launchWorker(spec);
  if (outcome.status === 'failed') throw new Error(`not launched: ${outcome.errno} ${outcome.path}`);
  return { spec, worker: outcome.worker, files: attemptFiles(spec.outputDirectory, spec.attempt) };
}

/** Waits until the worker has written `text`, for example that its handlers are installed. */
export async function written(path: string, text: string): Promise<void> {
  await waitFor(`"${text}" in ${path}`, () => readFileSync(path, 'utf8').includes(text));
}
