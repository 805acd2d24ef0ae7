/**
 * One save of a worker whose supervisor is dead. The session is claimed for as long as it takes, so that no `run` can come
 * between; the worker is welcomed with the new claim, as by a supervisor, and afterwards trains on alone under it.
 */
import { acquireClaim, releaseClaim } from '../../checkpoint/claim.ts';
import type { StoreFiles } from '../../checkpoint/files.ts';
import type { StoreLayout } from '../../checkpoint/layout.ts';
import { isAlive } from '../../checkpoint/process-identity.ts';
import { readSessionFile } from '../../checkpoint/session-file.ts';
import type { SessionFile, WorkerIdentity } from '../../checkpoint/types.ts';
import { DEFAULT_SETTINGS } from '../../config/settings.ts';
import {
  type MessageOf,
  PROTOCOL_VERSION,
  type SupervisorMessage,
  type WorkerMessage,
} from '../../protocol/messages.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import { attemptFiles } from '../attempt-files.ts';
import { ChannelServer, type Hello } from '../channel-server.ts';
import { processRow } from '../process-table.ts';
import { WorkerGate } from '../worker-gate.ts';
import { livingWorker } from '../worker-pid.ts';
import { type Answer, type OnTheWay, take } from './ask-supervisor.ts';
import { openVisitRecord } from './visit-record.ts';

export interface AskOrphanOptions {
  readonly files: StoreFiles;
  readonly layout: StoreLayout;
  readonly file: SessionFile;
  readonly worker: WorkerIdentity;
  readonly sessions: SessionsDatabase;
  /** Folder of all sessions' logs. */
  readonly logs: string;
  readonly request: MessageOf<WorkerMessage, 'save'>;
  /** Bound of the whole, in milliseconds. */
  readonly timeoutMs: number;
  readonly onTheWay: (message: OnTheWay) => void;
}

/** How long a worker that never spoke is waited for: it may have no SDK. One that did reconnects within 2 s. */
const SILENT_WAIT_MS = 5_000;
const LOOK_MS = 250;

/** @returns also `unreachable` when somebody else took the session first: look again who has it */
export async function askOrphan(options: AskOrphanOptions): Promise<Answer> {
  const { files, layout } = options;
  const outcome = await acquireClaim(files, layout.directory, { role: 'supervisor', takeOver: false });
  if (outcome.status === 'held') return { kind: 'unreachable', message: 'somebody else took the session over' };
  try {
    return await visit(options, outcome.claim);
  } finally {
    await releaseClaim(files, layout.directory, outcome.claim);
  }
}

async function visit(options: AskOrphanOptions, claim: number): Promise<Answer> {
  const { files, layout, worker, sessions, logs, request, onTheWay } = options;
  // Read again under the claim: its last owner may have written since.
  const file = (await readSessionFile(files, layout.directory)) ?? options.file;
  const record = openVisitRecord({ files, layout, file, claim, sessions, logs });
  let settle: (answer: Answer) => void = () => undefined;
  const answered = new Promise<Answer>((resolve) => {
    settle = resolve;
  });
  let asked = false;
  const gate = new WorkerGate(file.id);
  const server: ChannelServer = new ChannelServer({
    session: file.id,
    token: file.token,
    mayConnect: (hello) => gate.refusalOf(hello, worker.attempt, worker),
    onHello: (hello) => {
      if (!hello.welcomed) return settle(notStarted());
      server.sendToWorker(welcomeOf(options, claim, hello));
      // A worker that connects again may have the request already, but a save too many does no harm.
      server.sendToWorker(request);
      asked = true;
    },
    onMessage: (message) => {
      record.take(message);
      if ('request' in message && message.request === request.request) take(message, onTheWay, settle);
    },
    onDisconnected: () => undefined,
    onProblem: () => undefined,
  });
  try {
    await server.listen();
  } catch (error) {
    await record.close();
    throw error;
  }
  const startedMs = performance.now();
  const look = setInterval(() => {
    const waitedMs = performance.now() - startedMs;
    if (!isAlive(worker.group)) settle({ kind: 'failed', code: 'worker-ended', message: 'the worker has ended' });
    else if (waitedMs > options.timeoutMs) settle({ kind: 'timed-out' });
    else if (asked || waitedMs <= SILENT_WAIT_MS) return;
    else if (worker.spoke !== true) settle(noChannel());
    else {
      const pid = stoppedPid(worker);
      if (pid !== null) settle(isStopped(pid));
    }
  }, LOOK_MS);
  try {
    return await answered;
  } finally {
    clearInterval(look);
    await server.close();
    await record.close();
  }
}

/** It keeps what its supervisor gave it; only the claim is new. */
function welcomeOf(
  { file, layout }: AskOrphanOptions,
  claim: number,
  { attempt }: Hello,
): MessageOf<SupervisorMessage, 'welcome'> {
  const { save, asyncSave, best, bestMinDelta, keep, maxBytes, onFullDisk } = DEFAULT_SETTINGS;
  return {
    v: PROTOCOL_VERSION,
    type: 'welcome',
    session: file.id,
    attempt,
    claim,
    directory: layout.directory,
    backups: layout.backups,
    resume: null,
    policy: { ...save, asyncSave, best, bestMinDelta, keep, maxBytes, onFullDisk },
    keepPolicy: true,
    orphanLimitMs: null,
    requireGpu: false,
    learningRateScale: null,
    trainer: null,
  };
}

/** The worker that a signal has stopped: it hears nothing, however long it is waited for. Null: none has. */
function stoppedPid(worker: WorkerIdentity): number | null {
  const living = livingWorker(attemptFiles(worker.outputDirectory, worker.attempt), worker.group);
  return living !== null && /^t$/i.test(processRow(living.pid)?.state ?? '') ? living.pid : null;
}

function isStopped(pid: number): Answer {
  const message = `its worker (pid ${pid}) is stopped by a signal and hears nothing; kill -CONT ${pid} wakes it`;
  return { kind: 'failed', code: 'worker-stopped', message };
}

function notStarted(): Answer {
  const message = 'its supervisor died before it told the worker what to resume from: nothing was trained yet';
  return { kind: 'failed', code: 'not-started', message };
}

function noChannel(): Answer {
  return { kind: 'failed', code: 'no-channel', message: 'its worker does not use the SDK, so it cannot be asked' };
}
