/** What the checks of `doctor` need to know, each asked in a way that cannot hang it. */

import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { environmentOfWorker } from '../backend/worker-environment.ts';
import { errnoOf } from '../errors.ts';
import { UpsClient } from '../power/ups-client.ts';
import type { UpsReport } from '../power/ups-policy.ts';
import { runProgram } from '../run-program.ts';
import type { UpsAddress } from '../ups-address.ts';
import { askProgram } from './ask-program.ts';
import type { BackendAnswer } from './checks/backends.ts';
import type { ClockFacts } from './checks/clock.ts';
import type { PlaceAnswer } from './checks/disk.ts';
import type { HomeAnswer } from './checks/state-home.ts';

/** Built beside this file. */
const PLACE_PROGRAM = fileURLToPath(new URL('./probes/place.js', import.meta.url));
const DATABASE_PROGRAM = fileURLToPath(new URL('./probes/database.js', import.meta.url));
const BACKEND_PROGRAM = fileURLToPath(new URL('../worker/tfjs/probe-backend.js', import.meta.url));
const CLOCK_MS = 5_000;

/** @param known numbers of file systems whose speed need not be measured again */
export async function askPlace(
  directory: string,
  known: readonly number[],
  environment: NodeJS.ProcessEnv,
  limitMs: number,
): Promise<PlaceAnswer> {
  const answer = await askProgram<PlaceAnswer>({
    program: PLACE_PROGRAM,
    args: [directory, ...known.map(String)],
    environment,
    limitMs,
    kinds: ['facts', 'refused'],
  });
  if (answer.kind === 'answered') return answer.value;
  return answer.kind === 'failed' ? { kind: 'refused', reason: answer.reason } : answer;
}

export async function askDatabase(path: string, environment: NodeJS.ProcessEnv, limitMs: number): Promise<HomeAnswer> {
  const answer = await askProgram<HomeAnswer>({
    program: DATABASE_PROGRAM,
    args: [path],
    environment,
    limitMs,
    kinds: ['whole', 'missing', 'not-a-file', 'damaged', 'newer', 'refused'],
  });
  if (answer.kind === 'answered') return answer.value;
  return answer.kind === 'failed' ? { kind: 'refused', reason: answer.reason } : answer;
}

export async function askBackend(
  name: string,
  environment: NodeJS.ProcessEnv,
  limitMs: number,
): Promise<BackendAnswer> {
  const answer = await askProgram<BackendAnswer>({
    program: BACKEND_PROGRAM,
    args: [name],
    // With CUDA's libraries on the loader's path, as a worker has them.
    environment: { ...environment, ...environmentOfWorker(environment, false) },
    limitMs,
    kinds: ['works', 'wrong', 'not-installed', 'failed'],
  });
  return answer.kind === 'answered' ? answer.value : { ...answer, name };
}

export async function askUps(address: UpsAddress): Promise<UpsReport> {
  const client = new UpsClient(address);
  try {
    return await client.ask();
  } finally {
    client.close();
  }
}

/** @param database its time of change is the newest that anybody wrote down */
export async function askClock(now: Date, database: string, environment: NodeJS.ProcessEnv): Promise<ClockFacts> {
  const question = ['timedatectl', 'show', '-p', 'NTPSynchronized', '--value'];
  const { failure, stdout } = await runProgram(question, environment, CLOCK_MS);
  const synchronized = failure === null && /^(yes|no)$/.test(stdout) ? stdout === 'yes' : null;
  return { now, lastWrite: changedAt(database), synchronized };
}

function changedAt(path: string): Date | null {
  try {
    return statSync(path, { throwIfNoEntry: false })?.mtime ?? null;
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}
