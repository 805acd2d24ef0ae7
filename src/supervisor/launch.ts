/** Starting a worker: its own process group, output into files, a launcher that records how it ended. */

import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { currentBootId } from '../checkpoint/boot-identity.ts';
import { identityOf } from '../checkpoint/process-identity.ts';
import { errnoOf } from '../errors.ts';
import { unrunnableErrno } from '../executable.ts';
import { makeDirectory } from '../make-directory.ts';
import { ENVIRONMENT } from '../protocol/messages.ts';
import { type AttemptFiles, attemptFiles } from './attempt-files.ts';
import { EMPTY_RECORD, LAUNCH_SCRIPT } from './exit-record.ts';
import { processRow } from './process-table.ts';
import { NOTE_FILE_VARIABLE, PID_FILE_VARIABLE } from './worker-pid.ts';
import { WorkerProcess } from './worker-process.ts';

export interface LaunchSpec {
  readonly session: string;
  /** Real path of the script. */
  readonly trainer: string;
  readonly args: readonly string[];
  /** The whole command line (`python train.py --epochs 3`) in place of Node, preload, trainer and args; null: those. */
  readonly command: readonly string[] | null;
  readonly cwd: string;
  /** Set on top of our own environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Gets the files `attempt-<n>.*`; made when missing. */
  readonly outputDirectory: string;
  readonly attempt: number;
  /** Absolute path of our preload. */
  readonly preload: string;
}

/** Nothing runs. `errno`: ENOENT, EACCES, ENOSPC, EAGAIN...; `path`: what it is about. */
export interface LaunchFailure {
  readonly status: 'failed';
  readonly errno: string;
  readonly path: string;
  readonly message: string;
}

type LaunchOutcome = { readonly status: 'launched'; readonly worker: WorkerProcess } | LaunchFailure;

/** What is executed for a spec, without a launcher. */
export function commandOf(spec: Pick<LaunchSpec, 'trainer' | 'args' | 'command' | 'preload'>): readonly string[] {
  if (spec.command !== null) return spec.command;
  // As a URL: a path would be read as one, and `%`, `#` and `?` in it misunderstood.
  return [process.execPath, '--import', pathToFileURL(spec.preload).href, spec.trainer, ...spec.args];
}

/** Launches a worker. Whatever keeps it from starting is the outcome `failed`; nothing of the kind is thrown. */
export async function launchWorker(spec: LaunchSpec): Promise<LaunchOutcome> {
  const files = attemptFiles(spec.outputDirectory, spec.attempt);
  const command = commandOf(spec);
  const environment = {
    ...process.env,
    ...spec.environment,
    [ENVIRONMENT.session]: spec.session,
    [ENVIRONMENT.attempt]: String(spec.attempt),
    [PID_FILE_VARIABLE]: files.pid,
    [NOTE_FILE_VARIABLE]: files.note,
  };
  const missing = unstartable(spec, command, spec.environment.PATH ?? process.env.PATH);
  if (missing !== null) return missing;

  const descriptors: number[] = [];
  try {
    prepareFiles(spec.outputDirectory, files);
    // O_APPEND: after a truncation the next write goes to the new end, and two writers never overwrite one another.
    descriptors.push(openSync(files.stdout, 'a', 0o600), openSync(files.stderr, 'a', 0o600));
    return await spawnInGroup(spec, command, environment, files, descriptors);
  } catch (error) {
    return failure(error, spec.outputDirectory);
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

async function spawnInGroup(
  spec: LaunchSpec,
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
  files: AttemptFiles,
  [stdout, stderr]: readonly number[],
): Promise<LaunchOutcome> {
  const posix = process.platform !== 'win32';
  const [file = '', ...args] = posix
    ? ['/bin/sh', '-c', LAUNCH_SCRIPT, 'nkat-launch', files.exit, ...command]
    : command;
  const options: SpawnOptions = {
    cwd: spec.cwd,
    env: environment,
    stdio: ['ignore', stdout, stderr],
    detached: posix,
    windowsHide: true,
  };
  const child = spawn(file, args, options);
  if (child.pid === undefined) {
    const [error] = await once(child, 'error');
    return failure(error, file);
  }
  const leader = identityOf(child.pid) ?? {
    // It has ended already; until its exit event is handled the zombie still tells its start time.
    pid: child.pid,
    startTime: processRow(child.pid)?.startTime ?? null,
    bootId: currentBootId(),
  };
  return { status: 'launched', worker: new WorkerProcess(child, { leader, session: spec.session }, files) };
}

/** Leftovers of an earlier attempt of this number would be taken for this one's. */
function prepareFiles(outputDirectory: string, files: AttemptFiles): void {
  makeDirectory(outputDirectory, 0o700);
  for (const path of [files.exit, files.pid, files.note, files.offsets, files.stdout, files.stderr])
    rmSync(path, { force: true });
  writeFileSync(files.exitPending, EMPTY_RECORD, { mode: 0o600 });
}

/** The shell would tell only 126 or 127 of what is found here with its errno. */
function unstartable(spec: LaunchSpec, command: readonly string[], path: string | undefined): LaunchOutcome | null {
  try {
    if (!statSync(spec.cwd).isDirectory())
      return failed('ENOTDIR', spec.cwd, 'the working directory is not a directory');
    if (spec.command === null) accessSync(spec.trainer, constants.R_OK);
  } catch (error) {
    return failure(error, spec.trainer);
  }
  const [program] = command;
  if (program === undefined || program === '') return failed('ENOENT', '', 'the command is empty');
  if (process.platform === 'win32') return null;
  const errno = unrunnableErrno(program, { path, cwd: spec.cwd });
  if (errno === null) return null;
  return failed(errno, program, errno === 'ENOENT' ? `command not found: ${program}` : `not executable: ${program}`);
}

function failed(errno: string, path: string, message: string): LaunchOutcome {
  return { status: 'failed', errno, path, message };
}

function failure(error: unknown, fallbackPath: string): LaunchOutcome {
  const errno = errnoOf(error);
  // What has no errno is a bug of ours, no outcome of the launch.
  if (errno === null || !(error instanceof Error)) throw error;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : fallbackPath;
  return failed(errno, path, error.message);
}
