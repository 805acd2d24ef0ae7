import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeFiles } from '../../checkpoint/files.ts';
import { NkatError } from '../../errors.ts';
import { PROTOCOL_VERSION } from '../../protocol/messages.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { SessionRow } from '../../sessions/types.ts';
import { type AskOrphanOptions, askOrphan } from '../../supervisor/control/ask-orphan.ts';
import {
  type Answer,
  askSupervisor,
  type OnTheWay,
  type SavedMessage,
} from '../../supervisor/control/ask-supervisor.ts';
import type { CommandContext } from '../context.ts';
import { kindOf, reasonOf, timeoutOf } from '../control-flags.ts';
import type { SaveFlags } from '../flags.ts';
import { withIndex } from '../open-index.ts';
import { confirmedLine, onTheWayLine, waitingLine } from '../render/control-words.ts';
import type { Line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { findRunning, type RunningSession, resolveRunning } from '../running-session.ts';

const TIMEOUT_MS = 10 * 60_000;
const AGAIN_MS = 500;
/** Answers after which the next try may succeed: the worker is being launched again, or a newer save took its turn. */
const PASSING: ReadonlySet<string> = new Set(['no-worker', 'superseded', 'worker-ended']);

/** `save`: a checkpoint now, from another terminal. Returns when it was read back, or says why that is not known. */
export function save(word: string, flags: SaveFlags, context: CommandContext): Promise<number> {
  const timeoutMs = timeoutOf(flags.timeout, TIMEOUT_MS);
  const wish = { kind: kindOf(flags.kind), reason: reasonOf(flags.reason) };
  const say = (line: Line): void => {
    if (flags.json !== true) context.streams.err(paintLine(paintWith(context.terminal.colourErr), line));
  };
  return withIndex(context, async (database) => {
    const row = await resolveRunning(database, word);
    const visit = { sessions: database, logs: context.home.logs };
    const { saved, by } = await confirmedSave(row, wish, timeoutMs, visit, say);
    await index(database, row, saved);
    if (flags.json === true) context.streams.out(`${JSON.stringify(savedJson(row.id, by, saved))}\n`);
    else context.streams.out(paintLine(paintWith(context.terminal.colourOut), confirmedLine(saved)));
    return 0;
  });
}

/** Where it is written down what a worker without a supervisor says. */
type Visit = Pick<AskOrphanOptions, 'sessions' | 'logs'>;

interface Confirmed {
  readonly saved: SavedMessage;
  readonly by: RunningSession['reach']['by'];
}

async function confirmedSave(
  row: SessionRow,
  wish: { readonly kind: string; readonly reason: string | null },
  timeoutMs: number,
  visit: Visit,
  say: (line: Line) => void,
): Promise<Confirmed> {
  const deadline = performance.now() + timeoutMs;
  const progress = new Progress(say);
  let why = 'nobody answered';
  for (;;) {
    const running = await findRunning(row);
    const answer = await ask(running, wish, Math.max(1, deadline - performance.now()), visit, progress);
    if (answer.kind === 'saved') return { saved: answer.saved, by: running.reach.by };
    if (answer.kind === 'ended') throw unconfirmed(row, `the session ended first: ${answer.ended.reason}`);
    if (answer.kind === 'failed' && !PASSING.has(answer.code))
      throw unconfirmed(row, `${answer.message} (${answer.code})`);
    if (answer.kind !== 'timed-out') why = answer.message;
    if (performance.now() + AGAIN_MS >= deadline) throw unconfirmed(row, progress.inWords(timeoutMs) ?? why);
    if (answer.kind === 'failed') progress.waiting(answer.message);
    await sleep(AGAIN_MS);
  }
}

function ask(
  { session, file, reach }: RunningSession,
  { kind, reason }: { readonly kind: string; readonly reason: string | null },
  timeoutMs: number,
  visit: Visit,
  progress: Progress,
): Promise<Answer> {
  const request = { v: PROTOCOL_VERSION, type: 'save', request: randomUUID(), kinds: [kind], reason } as const;
  const common = {
    request: { ...request, kinds: [kind] },
    timeoutMs,
    onTheWay: (heard: OnTheWay) => progress.heard(heard),
  };
  if (reach.by === 'supervised') return askSupervisor({ session: file.id, token: file.token, ...common });
  return askOrphan({ files: nodeFiles, layout: session.layout, file, worker: reach.worker, ...visit, ...common });
}

/** How far the request came, for the one who waits. */
class Progress {
  readonly #say: (line: Line) => void;
  #furthest: OnTheWay | null = null;
  #told = '';

  constructor(say: (line: Line) => void) {
    this.#say = say;
  }

  heard(message: OnTheWay): void {
    this.#furthest = message;
    const line = onTheWayLine(message);
    if (line !== null) this.#say(line);
  }

  waiting(why: string): void {
    if (this.#told !== why) this.#say(waitingLine(why));
    this.#told = why;
  }

  /** Null: the worker never heard of it. */
  inWords(timeoutMs: number): string | null {
    const seconds = Math.round(timeoutMs / 1_000);
    if (this.#furthest === null) return null;
    if (this.#furthest.type === 'saved') {
      return `checkpoint ${this.#furthest.sequence} is durable, but was not read back within ${seconds} s`;
    }
    return `the worker has the request, but made no step within ${seconds} s; it still saves at its next one`;
  }
}

function unconfirmed(row: SessionRow, why: string): NkatError {
  return new NkatError(why, {
    code: 'unconfirmed',
    operation: `confirm the save of session ${row.id}`,
    hint: `What it has: nkat-recover show ${row.id}. To wait longer: --timeout 1h`,
  });
}

/** So that `show` knows it when the command has returned: the supervisor may tell the index a moment later. */
async function index(database: SessionsDatabase, row: SessionRow, saved: SavedMessage): Promise<void> {
  const { sequence, step, epoch, kinds, reason, bytes, createdAt, digest, path, metrics, parent } = saved;
  const known = {
    session: row.id,
    sequence,
    step,
    epoch,
    kinds,
    reason,
    state: 'verified',
    bytes,
    createdAt,
    digest,
  } as const;
  await database.write(({ checkpoints }) =>
    checkpoints.upsert({ ...known, path, metrics, parent, attempt: row.attempts }),
  );
}

function savedJson(session: string, by: Confirmed['by'], saved: SavedMessage): object {
  const { sequence, step, epoch, kinds, reason, state, bytes, createdAt, digest, path } = saved;
  const checkpoint = { sequence, step, epoch, kinds, reason, state, bytes, createdAt, digest, path };
  return { version: 1, session, confirmed: true, by, checkpoint };
}
