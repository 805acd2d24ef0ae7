/**
 * The real trainer, launched in drill mode: its SDK puts a checkpoint back, trains to a boundary, reports and exits. All that
 * it saves goes into a scratch folder, under a claim of its own; the session's directory is only read.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DETERMINISTIC_VARIABLE, environmentOfWorker } from '../backend/worker-environment.ts';
import { acquireClaim, releaseClaim } from '../checkpoint/claim.ts';
import type { StoreFiles } from '../checkpoint/files.ts';
import { ENVIRONMENT, PROTOCOL_VERSION, type SavePolicy } from '../protocol/messages.ts';
import { attemptFiles } from '../supervisor/attempt-files.ts';
import { ChannelServer, type Hello } from '../supervisor/channel-server.ts';
import { launchWorker } from '../supervisor/launch.ts';
import type { WorkerProcess } from '../supervisor/worker-process.ts';
import { NO_GPU } from './inject/gpus.ts';
import { groupMemoryBytes } from './inject/group-memory.ts';
import { lastLinesOf } from './last-lines.ts';
import type { RehearsalEnd, RehearsalRequest } from './rehearsal-request.ts';
import { RehearsalStory } from './rehearsal-story.ts';
import { endRehearsal, makeScratch, noteGroup } from './scratch.ts';

const PRELOAD = fileURLToPath(new URL('../worker/preload.js', import.meta.url));
/** Tells a trainer that has no SDK of ours; ours hears it in its welcome. */
const DRILL_VARIABLE = 'NKAT_DRILL';

/** How long the end of the connection of a process that has ended is waited for. */
const LAST_WORDS_MS = 5_000;

/** How often the memory of a trainer is looked at. */
const MEMORY_LOOK_MS = 50;

/** Nothing is saved but what a rehearsal itself asks for, and what the trainer saves on its own. */
const POLICY: SavePolicy = {
  every: null,
  everySteps: null,
  everyEpochs: null,
  overhead: 0.005,
  asyncSave: true,
  keep: 2,
  maxBytes: null,
  best: null,
  onFullDisk: 'continue',
  bestMinDelta: null,
};

/** Never throws for what a trainer does; that is the outcome. @throws NkatError `io`, `no-space`, `preflight` */
export async function rehearse(files: StoreFiles, request: RehearsalRequest): Promise<RehearsalEnd> {
  const { cleanup, nowMs, session, resume } = request;
  cleanup.goOn();
  const scratch = await makeScratch(files, request.scratchParent, cleanup);
  const directory = request.store?.directory ?? join(scratch, 'checkpoints', session);
  const backups = request.store?.backups ?? join(scratch, 'backups', session);
  const claimed = await acquireClaim(files, directory, { role: 'supervisor', takeOver: false });
  if (claimed.status === 'held') throw new Error(`a folder that was just made is held: ${directory}`);
  // No process of the real session carries this name, so nobody who ends strays of that one finds ours, or we theirs.
  const name = `drill-${randomBytes(8).toString('hex')}`;
  const token = randomBytes(24).toString('base64url');
  const story = new RehearsalStory(request, nowMs());
  const server = new ChannelServer({
    session: name,
    token,
    onHello: (hello: Hello) => {
      story.connected(hello);
      server.sendToWorker({
        v: PROTOCOL_VERSION,
        type: 'welcome',
        session,
        attempt: 1,
        claim: claimed.claim,
        directory,
        backups,
        resume,
        policy: { ...POLICY, every: request.saveEveryMs },
        keepPolicy: null,
        orphanLimitMs: null,
        requireGpu: false,
        learningRateScale: request.learningRateScale,
        batchScale: request.batchScale ?? 1,
        trainer: { ...request.trainer, args: [...request.trainer.args] },
        drill: { ...request.until },
      });
    },
    onMessage: (message) => {
      story.take(message, nowMs());
      if (message.type === 'unusable') server.sendToWorker({ v: PROTOCOL_VERSION, type: 'resume', resume: null });
    },
    onDisconnected: () => story.disconnected(),
    onProblem: (problem) => story.problem(problem),
  });
  await server.listen();
  await cleanup.add(() => server.close());
  const temporary = join(scratch, 'tmp');
  mkdirSync(temporary, { mode: 0o700 });
  cleanup.goOn();
  const launched = await launchWorker({
    session: name,
    trainer: request.trainer.path,
    args: request.trainer.args,
    command: request.command,
    cwd: request.cwd,
    environment: {
      ...request.sessionEnvironment,
      ...environmentOfWorker(
        { ...process.env, ...request.sessionEnvironment },
        request.sessionEnvironment[DETERMINISTIC_VARIABLE] === 'yes',
      ),
      [ENVIRONMENT.socket]: server.path,
      [ENVIRONMENT.token]: token,
      [ENVIRONMENT.checkpointDirectory]: directory,
      [DRILL_VARIABLE]: '1',
      TMPDIR: temporary,
      ...(request.device === 'cpu' ? NO_GPU : {}),
      ...request.environment,
    },
    outputDirectory: scratch,
    attempt: 1,
    preload: PRELOAD,
  });
  if (launched.status === 'failed') {
    await server.close();
    await releaseClaim(files, directory, claimed.claim);
    return story.ended(story.notLaunched(`${launched.message} (${launched.path})`), null);
  }
  const { worker } = launched;
  noteGroup(scratch, worker.owned);
  await cleanup.add(() => endRehearsal(worker.owned));
  const end = await ended(worker, story, request);
  const endedMs = nowMs();
  await endRehearsal(worker.owned);
  const killMs = end === 'killed' ? nowMs() - endedMs : null;
  await server.close();
  // The next launch on this copy is another owner's.
  await releaseClaim(files, directory, claimed.claim);
  const output = attemptFiles(scratch, 1);
  return story.ended(story.told(end, lastLinesOf(output.stderr)), killMs);
}

type End = Awaited<WorkerProcess['ended']> | 'limit' | 'no-connection' | 'passed' | 'killed' | 'memory';

/** Its own end, or why it has to be ended. What it sent before its end has been read. */
async function ended(worker: WorkerProcess, story: RehearsalStory, request: RehearsalRequest): Promise<End> {
  const { limits, kill, memoryBytes } = request;
  const timers: NodeJS.Timeout[] = [];
  const after = (ms: number, end: 'limit' | 'no-connection' | 'killed', holds: () => boolean): Promise<End> =>
    new Promise((resolve) => timers.push(setTimeout(() => holds() && resolve(end), Math.min(ms, 2 ** 31 - 1))));
  try {
    const end = await Promise.race([
      worker.ended,
      story.passed.then((): End => 'passed'),
      after(limits.connectMs, 'no-connection', () => !story.isConnected),
      after(limits.totalMs, 'limit', () => true),
      ...(kill === 'first-step' ? [story.stepped.then((): End => 'killed')] : []),
      ...(typeof kill === 'number' ? [after(kill, 'killed', () => true)] : []),
      ...(memoryBytes === null ? [] : [outgrown(worker, memoryBytes, timers)]),
    ]);
    // Its last words may still be in the socket when it has ended.
    if (typeof end === 'object' && story.isConnected) {
      await Promise.race([story.heardOut, new Promise((resolve) => timers.push(setTimeout(resolve, LAST_WORDS_MS)))]);
    }
    return end;
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

/** Resolves when the launch holds more than that. */
function outgrown(worker: WorkerProcess, bytes: number, timers: NodeJS.Timeout[]): Promise<End> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (groupMemoryBytes(worker.owned) > bytes) resolve('memory');
    };
    timers.push(setInterval(look, MEMORY_LOOK_MS));
  });
}
