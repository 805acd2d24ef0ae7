import { join } from 'node:path';
import { nodeFiles } from '../../checkpoint/files.ts';
import { NkatError } from '../../errors.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { SessionRow } from '../../sessions/types.ts';
import { LogReader } from '../../supervisor/log-reader.ts';
import { isOpenState } from '../../words.ts';
import type { CommandContext } from '../context.ts';
import type { LogsFlags } from '../flags.ts';
import { locateSession } from '../located-session.ts';
import { countOf, type LogFilter, logRecordOf, passes, patternOf } from '../log-filter.ts';
import { withReadableIndex } from '../open-index.ts';
import { line } from '../render/line.ts';
import { damagedJson, damagedLine, LogWords, logLines } from '../render/log-words.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { onScreen } from '../render/width.ts';
import { ownWatch } from '../session-state.ts';

const LOOK_MS = 200;
/** How often it is looked whether the session still runs. */
const LOOKS_PER_STATE = 5;

/** `logs`: what a session and its worker said, also what was rotated away; `-f` goes on until the session ends. */
export function logs(word: string, flags: LogsFlags, context: CommandContext): Promise<number> {
  const search = flags.grep === undefined ? null : patternOf(flags.grep);
  const filter: LogFilter = {
    attempt: flags.attempt === undefined ? null : countOf(flags.attempt, '--attempt'),
    level: flags.level,
    pattern: search?.pattern ?? null,
  };
  const last = flags.lines === undefined ? null : countOf(flags.lines, '--lines');
  const warn = (text: string): void =>
    context.streams.err(paintLine(paintWith(context.terminal.colourErr), line(text)));
  if (search?.plain === true) warn(`${flags.grep} is no regular expression; it is looked for as it stands.`);
  return withReadableIndex(context, async (database) => {
    const row = database.sessions.resolve(word);
    // One that is waited for may be yet to come.
    if (flags.follow !== true) refuseNoAttempt(row, filter.attempt);
    const shown = new Shown(filter, flags.json === true, context);
    const reader = new LogReader(join(context.home.logs, row.id));
    try {
      await showWhatIsThere(reader, shown, last);
      if (flags.follow !== true) {
        if (shown.isEmpty && last !== 0 && flags.json !== true) warn(emptyWords(row.id, shown, context.home.logs));
        return 0;
      }
      const state = await follow(reader, shown, row, database, context);
      if (state !== null) warn(endWords(row.id, state, filter.attempt));
      return 0;
    } finally {
      await reader.close();
    }
  });
}

/** @throws NkatError `attempt-not-found` */
function refuseNoAttempt({ id, attempts }: SessionRow, attempt: number | null): void {
  if (attempt === null || (attempt >= 1 && attempt <= attempts)) return;
  const there = attempts === 0 ? 'it was never launched' : `there ${attempts === 1 ? 'is 1' : `are 1 to ${attempts}`}`;
  throw new NkatError(`session ${id} has no attempt ${attempt}; ${there}`, {
    code: 'attempt-not-found',
    operation: 'show the log',
    hint: `What each of them came to: nkat-recover show ${id}`,
  });
}

/** Nothing at all is an answer that leaves a person in doubt. */
function emptyWords(session: string, { hasSeen }: Shown, logs: string): string {
  return hasSeen
    ? `Nothing in the log of session ${session} is what was asked for.`
    : `Session ${session} has no log in ${join(logs, session)}.`;
}

/** Stands for a state where the attempt that is shown is over, and its session is not. */
const PAST = 'past';

/** Which lines are shown, and how. */
class Shown {
  readonly #filter: LogFilter;
  readonly #json: boolean;
  readonly #context: CommandContext;
  readonly #words = new LogWords();
  /** Some line was there, shown or not. */
  hasSeen = false;
  isEmpty = true;
  /** A later attempt than the one that was asked for has begun: nothing more comes of it. */
  isPast = false;

  constructor(filter: LogFilter, json: boolean, context: CommandContext) {
    this.#filter = filter;
    this.#json = json;
    this.#context = context;
  }

  /** Null: not asked for. */
  textOf(raw: string): string | null {
    this.hasSeen = true;
    const { pattern } = this.#filter;
    const { terminal } = this.#context;
    const paint = paintWith(terminal.colourOut);
    const record = logRecordOf(raw);
    if (record === null) {
      if (pattern !== null && !pattern.test(raw)) return null;
      return this.#json ? damagedJson(raw) : damagedLine(onScreen(raw), paint);
    }
    if (record.attempt !== null && this.#filter.attempt !== null && record.attempt > this.#filter.attempt)
      this.isPast = true;
    // The words of an event may rest on those before it, so they are made also of what is not shown.
    const words = pattern !== null || !this.#json ? this.#words.textOf(record) : '';
    if (!passes(record, this.#filter) || (pattern !== null && !pattern.test(words))) return null;
    if (this.#json) return `${raw}\n`;
    return logLines(record, terminal.columnsOut() === null ? words : onScreen(words), paint);
  }

  async out(text: string): Promise<void> {
    if (text === '') return;
    this.isEmpty = false;
    await this.#context.streams.outSlowly(text);
  }

  get lost(): boolean {
    return this.#context.streams.outLost();
  }
}

async function showWhatIsThere(reader: LogReader, shown: Shown, last: number | null): Promise<void> {
  const kept: string[] = [];
  for await (const batch of reader.read()) {
    const texts = batch.map((raw) => shown.textOf(raw)).filter((text) => text !== null);
    if (last === null) await shown.out(texts.join(''));
    else {
      for (const text of texts) kept.push(text);
      if (kept.length > 2 * last + 1_000) kept.splice(0, kept.length - last);
    }
    if (shown.lost) return;
  }
  if (last !== null && last > 0) await shown.out(kept.slice(-last).join(''));
}

function endWords(session: string, state: string, attempt: number | null): string {
  return state === PAST
    ? `Attempt ${attempt} of session ${session} is over; a later one has begun.`
    : `Session ${session} has ended: ${state}.`;
}

/** @returns the state that the session ended in, or that the attempt which is shown is past; null: the reader went, or Ctrl-C */
async function follow(
  reader: LogReader,
  shown: Shown,
  row: SessionRow,
  database: SessionsDatabase,
  context: CommandContext,
): Promise<string | null> {
  let stopped = false;
  let wake: () => void = () => undefined;
  context.signals.listen(() => {
    stopped = true;
    wake();
  });
  for (let look = 0; !stopped && !shown.lost; look += 1) {
    // Before the lines: what it wrote until it ended is then still read.
    const ended = look % LOOKS_PER_STATE === 0 ? await endedState(row, database) : null;
    await showWhatIsThere(reader, shown, null);
    if (reader.takeMissed())
      context.streams.err('[the log was rotated faster than it was shown: lines are missing here]\n');
    if (ended !== null) return ended;
    if (shown.isPast) return PAST;
    await new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, LOOK_MS);
    });
  }
  return null;
}

async function endedState(row: SessionRow, database: SessionsDatabase): Promise<string | null> {
  const present = await locateSession(nodeFiles, database.sessions.find(row.id) ?? row, ownWatch());
  const { state } = present.present;
  return isOpenState(state) ? null : state;
}
