import { nodeFiles } from '../../checkpoint/files.ts';
import { newSessionId } from '../../checkpoint/session-id.ts';
import { Cleanup } from '../../drill/cleanup.ts';
import { type DrilledSession, drillSession } from '../../drill/drill-session.ts';
import { lockDrills } from '../../drill/lock.ts';
import type { DrillLevel, DrillReport, SessionDrill } from '../../drill/types.ts';
import { NkatError } from '../../errors.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { SessionRow } from '../../sessions/types.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf, exitCodeOfSignal } from '../exit-codes.ts';
import type { DrillFlags } from '../flags.ts';
import { locateSession } from '../located-session.ts';
import { withReadableIndex } from '../open-index.ts';
import { drillJson, drillWords } from '../render/drill-words.ts';
import { line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { StatusLine } from '../render/status-line.ts';
import { resolveSession } from '../resolve-session.ts';
import { ownWatch } from '../session-state.ts';
import { trainerHasChanged } from '../source-change.ts';
import { ownVersion } from '../version.ts';

/** `drill`: rehearses the recovery of sessions beside them; exit 65 where something could not be recovered. */
export async function drill(words: readonly string[], flags: DrillFlags, context: CommandContext): Promise<number> {
  const cleanup = new Cleanup();
  const interrupted = new Promise<number>((resolve) => {
    context.signals.listen((signal) => resolve(exitCodeOfSignal(signal)));
  });
  try {
    // What is left of an interrupted drill ends by itself at its next look at the cleanup.
    return await Promise.race([drillAll(words, flags, context, cleanup), interrupted]);
  } finally {
    await cleanup.close((error) => {
      if (!(error instanceof NkatError)) throw error;
      const words = `Something of the drill could not be taken away: ${error.message} (${error.path ?? ''})`;
      context.streams.err(paintLine(paintWith(context.terminal.colourErr), line(words, 'warning')));
    });
  }
}

function drillAll(
  words: readonly string[],
  flags: DrillFlags,
  context: CommandContext,
  cleanup: Cleanup,
): Promise<number> {
  const level = levelOf(flags.level);
  return withReadableIndex(context, async (database) => {
    const rows = await chosenRows(words, flags, database);
    await lockDrills(nodeFiles, context.home, cleanup);
    const startedAt = new Date(context.clocks.now());
    const status = new StatusLine(context);
    const sessions: SessionDrill[] = [];
    try {
      for (const row of rows) {
        sessions.push(
          await drillSession(await foundSession(row, context), {
            files: nodeFiles,
            level,
            versions: { node: process.versions.node, 'nkat-recover': ownVersion() },
            nowMs: context.clocks.monotonic,
            cleanup,
            onProgress: (text) => status.show(`Drilling ${row.id}: ${text}`),
          }),
        );
      }
    } finally {
      status.clear();
    }
    const report: DrillReport = {
      drill: newSessionId(startedAt, Math.random),
      startedAt: startedAt.toISOString(),
      endedAt: new Date(context.clocks.now()).toISOString(),
      ok: sessions.every(({ ok }) => ok),
      sessions,
    };
    show(report, flags, context);
    return report.ok ? 0 : exitCodeOf('damaged');
  });
}

function show(report: DrillReport, flags: DrillFlags, { streams, terminal }: CommandContext): void {
  if (flags.json === true) {
    streams.out(`${JSON.stringify(drillJson(report))}\n`);
    return;
  }
  const paint = paintWith(terminal.colourOut);
  for (const text of drillWords(report, terminal.columnsOut(), paint)) streams.out(`${text}\n`);
}

/** @throws NkatError `session-not-found`, `session-ambiguous` */
async function chosenRows(
  words: readonly string[],
  flags: DrillFlags,
  database: SessionsDatabase,
): Promise<readonly SessionRow[]> {
  if (flags.all === true) return database.sessions.list().filter(({ checkpoints }) => checkpoints > 0);
  const rows = new Map<string, SessionRow>();
  for (const word of words) {
    const row = await resolveSession(nodeFiles, database, word);
    rows.set(row.id, row);
  }
  return [...rows.values()];
}

async function foundSession(row: SessionRow, { clocks }: CommandContext): Promise<DrilledSession> {
  const startedMs = clocks.monotonic();
  const { layout, file, present } = await locateSession(nodeFiles, row, ownWatch());
  return {
    layout,
    file,
    name: row.name,
    state: present.state,
    reachedStep: Math.max(file?.lastStep ?? 0, row.step ?? 0),
    trainerChanged: trainerHasChanged(file),
    detectMs: clocks.monotonic() - startedMs,
  };
}

function levelOf(text: string | undefined): DrillLevel {
  return text === '1' ? 1 : 2;
}
