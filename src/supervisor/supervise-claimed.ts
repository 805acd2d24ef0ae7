/** A session that is ours: put its parts together, let it run, write down how it ended. */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { StoreFiles } from '../checkpoint/files.ts';
import type { StoreLayout } from '../checkpoint/layout.ts';
import type { Owner, SessionFile } from '../checkpoint/types.ts';
import type { GpuSample } from '../gpu/sample.ts';
import { smiCommand } from '../gpu/smi-command.ts';
import { isGoingDown } from '../power/going-down.ts';
import type { PowerCut } from '../power/power-cut.ts';
import { socketPath } from '../protocol/socket-path.ts';
import type { UpsAddress } from '../ups-address.ts';
import { CardControl } from './card-control.ts';
import { CardKnowledge } from './card-knowledge.ts';
import { CardNames } from './card-names.ts';
import { CardUse } from './card-use.ts';
import { CardWatch } from './card-watch.ts';
import { watchCheckpoints } from './checkpoint-index.ts';
import { type EarlierWorker, endUnrecordedWorkers, findEarlierWorker } from './earlier-worker.ts';
import { openEventSink } from './event-sink.ts';
import type { SupervisorEvent } from './events.ts';
import { inFirstPidNamespace } from './evidence.ts';
import { finish, type Undone } from './finish-session.ts';
import { LogindWatch } from './logind-watch.ts';
import { graceMs } from './machine/settings.ts';
import type { Ended, Ledger } from './machine/state.ts';
import type { MachineEars } from './machine-ears.ts';
import { openRecord } from './open-record.ts';
import type { SessionEnd, SuperviseOptions } from './options.ts';
import { processesOfGroup } from './own-processes.ts';
import type { SessionContext } from './session-context.ts';
import { findCut } from './session-cut.ts';
import { SessionIndex } from './session-index.ts';
import { SessionRecord } from './session-record.ts';
import { limitAfter } from './stop-signals.ts';
import { Supervisor } from './supervisor.ts';
import { UpsWatch } from './ups-watch.ts';
import { WarningWatch } from './warnings/warning-watch.ts';
import { WindowsPowerWatch } from './windows-power-watch.ts';

export interface ClaimedSession {
  readonly files: StoreFiles;
  readonly layout: StoreLayout;
  readonly file: SessionFile;
  readonly claim: number;
  /** Whoever had the session before and did not give it back. */
  readonly previous: Owner | null;
}

/** Built beside this file; started by `node --import`. */
const PRELOAD = fileURLToPath(new URL('../worker/preload.js', import.meta.url));

export async function superviseClaimed(options: SuperviseOptions, session: ClaimedSession): Promise<SessionEnd> {
  const { files, layout, claim } = session;
  const now = (): Date => new Date();
  const nowMs = (): number => performance.now();
  const record = new SessionRecord(files, layout.directory, session.file, now, nowMs);
  record.change({ claim });
  const index = new SessionIndex(options.sessions, layout.session, now);
  const outputDirectory = join(options.home.logs, layout.session);
  const sink = openEventSink({ directory: outputDirectory, index, record, publish: options.publish, nowMs });
  const { settings } = options;
  let logind: LogindWatch | null = null;
  let cards: CardWatch | null = null;
  const tell = (told: SupervisorEvent): void => {
    const shown = told.name === 'progress' ? (cards?.now() ?? []) : [];
    const pace = control.share > 0 ? { throttle: control.share } : {};
    const event = told.name === 'progress' && shown.length > 0 ? { ...told, ...pace, cards: shown } : told;
    sink.tell(event);
    warnings.take(event);
    knowledge.take(event);
    use.take(event);
    names.take(event);
    control.take(event);
    logind?.take(event);
  };
  const use = new CardUse({
    smi: smiCommand(process.env),
    nowMs,
    own: () => (record.file.worker === null ? new Set() : processesOfGroup(record.file.worker.group.pid)),
    namesOurPids: inFirstPidNamespace,
  });
  const control = new CardControl({ profile: settings.gpuProfile, tell, nowMs, use });
  const names = new CardNames((named) => control.tellNames(named));
  const context: SessionContext = {
    files,
    layout,
    record,
    index,
    settings,
    outputDirectory,
    claim,
    tell,
    nowMs,
    now,
  };
  const warnings = new WarningWatch(context, options.command !== null, control.relieve.bind(control));
  const knowledge = new CardKnowledge({ context, cards: () => cards, environment: process.env });

  const { previous, file } = session;
  const earlier = await findEarlierWorker(files, layout, record.file, options.settings.stop.killWaitMs, previous);
  const attemptCut = earlier.kind === 'ended' && earlier.unseen.bootChanged;
  const cut = findCut(context, { file, previous, attemptCut });
  const trainer = await openRecord(context, options, earlier, cut);
  const attemptsBefore = record.file.attempts;
  const supervisor = new Supervisor({
    context,
    machine: { ...settings, stop: settings.stop, hang: settings.hang },
    ledger: ledgerOf(record.file, index),
    preload: PRELOAD,
    command: options.command,
    trainer,
    from: options.from,
    token: record.file.token,
    socket: socketPath(layout.session),
    keepPolicy: options.stop !== undefined,
    downForMs: cut?.downMs ?? null,
    cards: control,
    random: Math.random,
  });
  const watch = watchCheckpoints(context, (happening) => supervisor.dispatch(happening));
  warnings.start();
  let ups: UpsWatch | null = null;
  let power: WindowsPowerWatch | null = null;
  let shutdown: Promise<boolean> | null = null;
  try {
    // What an adopted worker says is about an attempt that must be known by then: it may connect at once.
    if (earlier.kind === 'alive') await supervisor.adopt(earlier.worker, earlier.verified);
    await supervisor.listen();
    options.signals.listen((signal) => {
      supervisor.dispatch({ type: 'stop-signal', signal, withinMs: limitAfter(signal) ?? undefined });
      // Only a machine that goes down sends this to everybody; the stop itself waits for no answer.
      if (signal === 'SIGTERM') shutdown ??= noteShutdown(supervisor, logind?.isShuttingDown === true);
    });
    if (options.stop !== undefined) {
      supervisor.dispatch({ type: 'stop-signal', signal: 'SIGTERM', command: options.stop });
    }
    const onSample = (sample: GpuSample): void => {
      knowledge.sample(sample);
      names.look(cards?.rows() ?? []);
    };
    cards = new CardWatch({ environment: process.env, tell, nowMs, control, onSample });
    if (settings.ups !== null) ups = watchUps(settings.ups, supervisor, context);
    logind = watchLogind(supervisor, context);
    if (process.platform === 'win32') power = new WindowsPowerWatch(machineEars(supervisor, context));
    if (earlier.kind !== 'alive') await begin(supervisor, context, earlier, cut);
    const ended = await supervisor.ended;
    await knowledge.close();
    if ((await shutdown) === true && ended.ledger.stopReason === null) record.change({ stoppedBy: 'shutdown' });
    const slip = slipOf(ended, options, session.file, attemptsBefore);
    const end = await finish(ended, context, sink, slip === null ? null : { before: session.file, slip });
    const { outcome, reason, summary } = end;
    const { sequence = null, step = null } = summary.lastCheckpoint ?? {};
    supervisor.tellEnd({ outcome, reason, sequence, step });
    return end;
  } finally {
    ups?.close();
    power?.close();
    cards?.close();
    await logind?.close();
    warnings.close();
    await watch.close();
    await supervisor.close();
    sink.close();
  }
}

/** Resolves to whether the machine is going down. What it stopped comes back with it. */
async function noteShutdown(supervisor: Supervisor, isAnnounced: boolean): Promise<boolean> {
  const isShutdown = isAnnounced || (await isGoingDown());
  if (isShutdown) supervisor.dispatch({ type: 'stopped-by', by: 'shutdown' });
  return isShutdown;
}

function watchUps(address: UpsAddress, supervisor: Supervisor, { tell, nowMs }: SessionContext): UpsWatch {
  return new UpsWatch({
    address,
    tell,
    nowMs,
    save: (reason) => void supervisor.save(['battery'], reason),
    // Like a command, and not like a signal: an operator's own Ctrl-C is still the first.
    stop: (reason) => supervisor.dispatch({ type: 'stop-signal', signal: 'SIGTERM', command: { reason, by: 'ups' } }),
  });
}

function watchLogind(supervisor: Supervisor, context: SessionContext): LogindWatch {
  const { settings, index } = context;
  return new LogindWatch({
    ...machineEars(supervisor, context),
    limitMs: () => graceMs(settings, index.longestSaveMs()),
  });
}

/** What follows where the machine is about to sleep or to shut down, whoever tells us. */
function machineEars(supervisor: Supervisor, { tell, nowMs }: SessionContext): MachineEars {
  return {
    environment: process.env,
    tell,
    nowMs,
    save: (going) => supervisor.save(['emergency', going], GOING_WORDS[going]),
    onWoke: (forMs) => supervisor.dispatch({ type: 'woke-late', gapMs: forMs }),
  };
}

const GOING_WORDS = { shutdown: 'the machine is about to shut down', sleep: 'the machine is about to sleep' } as const;

function ledgerOf(file: SessionFile, index: SessionIndex): Ledger {
  const { attempts, budget, lastStep } = file;
  return {
    attempt: attempts,
    budget,
    lastStep,
    longestSaveMs: index.longestSaveMs(),
    stopSignal: null,
    stopReason: null,
  };
}

/** What the operator asked for beyond a plain resume, where just that kept it from anything. Null: there is nothing to undo. */
function slipOf(
  { outcome, ledger }: Ended,
  options: SuperviseOptions,
  before: SessionFile,
  attempts: number,
): Undone['slip'] | null {
  const { target, from } = options;
  if (outcome === 'no-checkpoint' && from !== null && ledger.attempt === attempts) return 'checkpoint';
  const args = target.kind === 'existing' ? target.args : null;
  const asBefore = args === null || isDeepStrictEqual(args, before.identity.args);
  const hasTrained = ledger.attempt > attempts + 1 || ledger.lastStep > before.lastStep;
  return outcome === 'config-error' && !asBefore && !hasTrained ? 'arguments' : null;
}

async function begin(
  supervisor: Supervisor,
  context: SessionContext,
  earlier: Exclude<EarlierWorker, { kind: 'alive' }>,
  cut: PowerCut | null,
): Promise<void> {
  const ended = await endUnrecordedWorkers(context.layout.session, context.settings.stop.killWaitMs);
  if (ended > 0) {
    const message = `ended ${ended} process(es) that an earlier launch of this session had left behind`;
    context.tell({ name: 'notice', level: 'warning', message });
  }
  const unseen = earlier.kind === 'ended' ? earlier.unseen : null;
  const unseenEnd = unseen?.bootChanged && cut !== null ? { ...unseen, lastSeenAt: cut.lastSeenAt } : unseen;
  supervisor.dispatch({ type: 'no-orphan', unseenEnd, settle: settleOf(cut) });
}

function settleOf(cut: PowerCut | null): { waitMs: number; reason: string } | undefined {
  if (cut === null || cut.waitMs === 0) return undefined;
  return { waitMs: cut.waitMs, reason: 'the power was cut again soon after the last recovery, and may not hold yet' };
}
