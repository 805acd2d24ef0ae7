/** The first line of every trainer. */
import { NkatError } from '../errors.ts';
import { ENVIRONMENT } from '../protocol/messages.ts';
import { type AloneSettings, aloneMode, ownIdentity } from './alone-settings.ts';
import { ControlBlock } from './control-block.ts';
import { Ending } from './ending.ts';
import { guardOutput } from './output-guard.ts';
import type { Run } from './run.ts';
import type { ThreadMode } from './thread/messages.ts';
import { TrainingRun } from './training-run.ts';
import { usage } from './usage.ts';

/** Set in a process that has connected: the socket that it is the worker of. */
const CONNECTED = 'NKAT_CONNECTED';

export interface ConnectOptions extends AloneSettings {
  /** Seed of `run.random`, of `Math.random` where the trainer asks for that, and of `batches` without one. Default 0. */
  readonly seed?: number;
  /**
   * After a loss that is no number, train on from an earlier checkpoint with the learning rate halved, at most 4 times a
   * session (see `run.learningRateScale`). Default false: the run ends, since it would diverge again.
   */
  readonly adapts?: boolean;
  /**
   * Where the memory of the GPU was full, go on with batches of half the size, at most 4 times a session: `run.batches` makes them
   * smaller by itself, batches of your own need `run.batchScale`. Default false: one retry at the same size.
   */
  readonly adaptsBatch?: boolean;
  /**
   * How many processes this trainer starts that prepare its data. Where the GPU waits for data and fewer of them run, that is said.
   * Default: nothing is said of them.
   */
  readonly loaders?: number;
}

/**
 * Joins the supervisor that launched this process, or runs alone under the same claim, with the same saves and the
 * same resume. Waits for the supervisor's welcome, however long.
 * @throws NkatError `session-held` (exit code 73 if uncaught), `no-verified-checkpoint` (65), `configuration`, `io`;
 * `usage` when the session has its worker already.
 */
export async function connect(options: ConnectOptions = {}): Promise<Run> {
  const mode = modeOf(process.env, options);
  const ending = new Ending(mode.kind === 'alone');
  ending.install();
  guardOutput();
  const control = new ControlBlock();
  // The first sign of life: a trainer that gets stuck before its first step is as old as this.
  control.beat(process.hrtime.bigint());
  return TrainingRun.start({
    script: new URL('./thread/main.js', import.meta.url),
    mode,
    control,
    ending,
    seed: options.seed ?? 0,
    adapts: options.adapts ?? false,
    adaptsBatch: options.adaptsBatch ?? false,
  });
}

function modeOf(environment: NodeJS.ProcessEnv, options: ConnectOptions): ThreadMode {
  const socket = environment[ENVIRONMENT.socket];
  if (!socket) return aloneMode(environment, options, ownIdentity(process.argv, process.cwd()));
  const session = environment[ENVIRONMENT.session];
  const attempt = Number(environment[ENVIRONMENT.attempt]);
  if (!session || !Number.isSafeInteger(attempt) || attempt < 1) {
    throw new NkatError(
      `${ENVIRONMENT.socket} is set without a usable ${ENVIRONMENT.session} and ${ENVIRONMENT.attempt}`,
      {
        code: 'configuration',
        operation: 'read the environment of the worker',
        hint: `Unset ${ENVIRONMENT.socket} to run without a supervisor.`,
      },
    );
  }
  if (environment[CONNECTED] === socket) {
    throw new NkatError('this session has its worker already: connect was called before, here or in a parent process', {
      code: 'usage',
      operation: 'connect',
      hint: `Call connect once. A process of its own that trains by itself is started without ${ENVIRONMENT.socket}.`,
    });
  }
  // Inherited by the trainer's own processes and threads, whose hello would take the worker's place.
  environment[CONNECTED] = socket;
  const adaptsBatch = options.adaptsBatch ?? false;
  const loaders = loadersOf(options);
  return {
    kind: 'supervised',
    socket,
    token: environment[ENVIRONMENT.token] ?? '',
    session,
    attempt,
    adaptsBatch,
    loaders,
  };
}

function loadersOf({ loaders }: ConnectOptions): number | null {
  if (loaders === undefined) return null;
  if (Number.isSafeInteger(loaders) && loaders >= 0) return loaders;
  throw usage(`loaders is a whole number of processes, not ${String(loaders)}`, 'connect');
}
