import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeFiles } from '../../checkpoint/files.ts';
import { environmentLayer, resolveSettings } from '../../config/layers.ts';
import { NkatError } from '../../errors.ts';
import { PROTOCOL_VERSION } from '../../protocol/messages.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { SessionRow } from '../../sessions/types.ts';
import { askSupervisor } from '../../supervisor/control/ask-supervisor.ts';
import type { Outcome } from '../../supervisor/events.ts';
import { supervise } from '../../supervisor/supervise.ts';
import type { CommandContext } from '../context.ts';
import { reasonOf, timeoutOf } from '../control-flags.ts';
import type { StopFlags } from '../flags.ts';
import { locateSession } from '../located-session.ts';
import { withIndex } from '../open-index.ts';
import { onTheWayLine, stoppedLine } from '../render/control-words.ts';
import type { Line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { PlainRenderer } from '../render/plain-renderer.ts';
import { findRunning, type RunningSession, resolveRunning } from '../running-session.ts';
import { ownWatch } from '../session-state.ts';
import { settingsOfSession } from './run.ts';

/** Above the longest grace of a stop, 15 minutes, and what comes after it. */
const TIMEOUT_MS = 20 * 60_000;
const AGAIN_MS = 100;

interface Stopped {
  readonly by: RunningSession['reach']['by'];
  /** A word of `Outcome`. */
  readonly outcome: string;
  readonly reason: string;
  readonly sequence: number | null;
  readonly step: number | null;
}

interface Stopping {
  readonly row: SessionRow;
  readonly reason: string | null;
  /** Null: not asked for. */
  readonly timeoutMs: number | null;
  readonly deadline: number;
  readonly json: boolean;
  readonly say: (line: Line) => void;
}

/** Ends that leave nothing unsaved. */
const SAVED: ReadonlySet<string> = new Set<Outcome>(['stopped-saved', 'completed']);

/** `stop`: what Ctrl-C does, from another terminal. Returns when the worker is gone and its end is recorded. */
export function stop(word: string, flags: StopFlags, context: CommandContext): Promise<number> {
  const timeoutMs = flags.timeout === undefined ? null : timeoutOf(flags.timeout, TIMEOUT_MS);
  const json = flags.json === true;
  const say = (line: Line): void => {
    if (!json) context.streams.err(paintLine(paintWith(context.terminal.colourErr), line));
  };
  return withIndex(context, async (database) => {
    const row = await resolveRunning(database, word);
    const deadline = performance.now() + (timeoutMs ?? TIMEOUT_MS);
    const stopping = { row, reason: reasonOf(flags.reason), timeoutMs, deadline, json, say };
    const stopped = await stopAndWait(stopping, database, context);
    const saved = SAVED.has(stopped.outcome);
    if (!saved) throw unconfirmed(row, `it has stopped without a verified save of its last step: ${stopped.reason}`);
    const { by, outcome, reason, sequence, step } = stopped;
    const told = { version: 1, session: row.id, stopped: true, by, outcome, reason, sequence, step };
    if (json) context.streams.out(`${JSON.stringify(told)}\n`);
    else context.streams.out(paintLine(paintWith(context.terminal.colourOut), stoppedLine(row.id, stopped)));
    return 0;
  });
}

async function stopAndWait(stopping: Stopping, database: SessionsDatabase, context: CommandContext): Promise<Stopped> {
  const { row, deadline } = stopping;
  let asked = false;
  for (;;) {
    let running: RunningSession;
    try {
      running = await findRunning(row);
    } catch (error) {
      // The supervisor that was asked died with its worker: nothing runs, but nothing was confirmed either.
      if (!asked || !(error instanceof NkatError) || error.code !== 'session-not-running') throw error;
      throw unconfirmed(row, `it does not run any more, but its supervisor told no end: ${error.message}`);
    }
    if (running.reach.by === 'orphaned') {
      const stopped = await stopOrphan(running, stopping, database, context);
      if (stopped !== null) return stopped;
    } else {
      const stopped = await askToStop(running, stopping);
      if (stopped !== null) return stopped;
    }
    asked = true;
    if (performance.now() >= deadline) {
      throw unconfirmed(row, 'its end was not told in time; the stop was asked for and still goes on');
    }
    await sleep(AGAIN_MS);
  }
}

/** Null: look again who has the session. */
async function askToStop({ file, session }: RunningSession, stopping: Stopping): Promise<Stopped | null> {
  const { reason, deadline, say } = stopping;
  const leftMs = Math.max(1, deadline - performance.now());
  const answer = await askSupervisor({
    session: file.id,
    token: file.token,
    request: { v: PROTOCOL_VERSION, type: 'stop', request: randomUUID(), reason, deadlineMs: leftMs },
    timeoutMs: leftMs,
    onTheWay: (message) => {
      const line = onTheWayLine(message);
      if (line !== null) say(line);
    },
  });
  if (answer.kind !== 'ended') return null;
  await released(session.row, session.owner?.claim ?? 0, deadline);
  const { outcome, reason: why, sequence, step } = answer.ended;
  return { by: 'supervised', outcome, reason: why, sequence, step };
}

/** Until then `list` would show it as running, and `run` be refused. */
async function released(row: SessionRow, claim: number, deadline: number): Promise<void> {
  while (performance.now() < deadline) {
    const { owner, present } = await locateSession(nodeFiles, row, ownWatch());
    if (owner === null || owner.claim !== claim || present.ownerPid === null) return;
    await sleep(AGAIN_MS);
  }
}

/** A short supervision: adopt, save, stop, record. Null: somebody else took the session over meanwhile. */
async function stopOrphan(
  { session, file }: RunningSession,
  { reason, timeoutMs, json }: Stopping,
  database: SessionsDatabase,
  context: CommandContext,
): Promise<Stopped | null> {
  const defaults = resolveSettings([environmentLayer(context.environment, context.cwd)], context.home);
  const own = settingsOfSession(session, defaults);
  const settings = timeoutMs === null ? own : { ...own, stop: { ...own.stop, graceMs: timeoutMs } };
  const renderer = new PlainRenderer({ json: false, quiet: true, ...context });
  try {
    const end = await supervise({
      home: context.home,
      sessions: database,
      target: { kind: 'existing', id: file.id, directory: session.layout.directory, args: null },
      settings,
      from: null,
      takeOver: false,
      command: null,
      stop: { reason },
      publish: (event) => {
        // Its end is told in one line of our own.
        if (!json && event.name !== 'session-ended') renderer.handle(event);
      },
      signals: context.signals,
    });
    const { sequence = null, step = null } = end.summary.lastCheckpoint ?? {};
    return { by: 'orphaned', outcome: end.outcome, reason: end.reason, sequence, step };
  } catch (error) {
    if (error instanceof NkatError && error.code === 'session-held') return null;
    throw error;
  }
}

function unconfirmed(row: SessionRow, why: string): NkatError {
  return new NkatError(why, {
    code: 'unconfirmed',
    operation: `confirm the stop of session ${row.id}`,
    hint: `See what became of it: nkat-recover show ${row.id}`,
  });
}
