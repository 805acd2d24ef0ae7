import { join } from 'node:path';
import { nodeFiles } from '../../checkpoint/files.ts';
import { newSessionId } from '../../checkpoint/session-id.ts';
import { Cleanup } from '../../drill/cleanup.ts';
import { drillSession } from '../../drill/drill-session.ts';
import type { DrilledSession } from '../../drill/drilled-session.ts';
import { gpuIndices, refuseMissingGpus } from '../../drill/inject/gpus.ts';
import { beKind, drillsFolder, lockDrills } from '../../drill/lock.ts';
import { removeDeadScratch } from '../../drill/scratch.ts';
import type { DrillReport, SessionDrill } from '../../drill/types.ts';
import { NkatError } from '../../errors.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import type { SessionRow } from '../../sessions/types.ts';
import type { CommandContext } from '../context.ts';
import { timeoutOf } from '../control-flags.ts';
import { injectionsOf, levelOf, refuseNamesWithAll, withinOf } from '../drill-flags.ts';
import { exitCodeOf, exitCodeOfSignal } from '../exit-codes.ts';
import type { DrillFlags } from '../flags.ts';
import { isStoreMissing, locateSession } from '../located-session.ts';
import { withIndex } from '../open-index.ts';
import { drillJson, drillWords } from '../render/drill-words.ts';
import { line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { StatusLine } from '../render/status-line.ts';
import { resolveSession } from '../resolve-session.ts';
import { DRILL_LOG, keepLogSmall, tellLogProblem } from '../service/keep-log-small.ts';
import { ownWatch } from '../session-state.ts';
import { sourceDigestOf, trainerHasChanged } from '../source-change.ts';
import { commandOf } from '../trainer.ts';
import { ownVersion } from '../version.ts';
import { drillHistory } from './drill-history.ts';

/** `drill`: rehearses the recovery of sessions beside them; exit 65 where something could not be recovered. */
export async function drill(words: readonly string[], flags: DrillFlags, context: CommandContext): Promise<number> {
  if (flags.history === true) return drillHistory(words, flags, context);
  tellLogProblem(context, keepLogSmall(join(context.home.logs, DRILL_LOG)));
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
  refuseNamesWithAll(words, flags);
  const level = levelOf(flags.level);
  const withinMs = withinOf(flags, level);
  const injections = injectionsOf(flags, level);
  return withIndex(context, async (database) => {
    const rows = await chosenRows(words, flags, database);
    const asked = injections.map(({ injection }) => injection);
    if (asked.some(({ kind }) => GPU_KINDS.has(kind))) refuseMissingGpus(asked, await gpuIndices(process.env));
    await lockDrills(nodeFiles, context.home, cleanup);
    beKind();
    await removeDeadScratch(nodeFiles, drillsFolder(context.home));
    const startedAt = new Date(context.clocks.now());
    const status = new StatusLine(context);
    const sessions: SessionDrill[] = [];
    try {
      for (const row of rows) {
        sessions.push(
          await drillSession(await foundSession(row, context), {
            files: nodeFiles,
            level,
            injections,
            device: flags.device === 'gpu' ? 'gpu' : 'cpu',
            withinMs,
            timeoutMs: flags.timeout === undefined ? null : timeoutOf(flags.timeout, 0),
            scratchParent: drillsFolder(context.home),
            versions: { node: process.versions.node, 'nkat-recover': ownVersion() },
            nowMs: context.clocks.monotonic,
            random: Math.random,
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
    await record(report, database);
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
  for (const word of words.length === 0 ? ['latest'] : words) {
    const row = await resolveSession(nodeFiles, database, word);
    rows.set(row.id, row);
  }
  return [...rows.values()];
}

async function foundSession(row: SessionRow, { clocks }: CommandContext): Promise<DrilledSession> {
  const startedMs = clocks.monotonic();
  const located = await locateSession(nodeFiles, row, ownWatch());
  const { layout, file, present } = located;
  return {
    isMissing: await isStoreMissing(nodeFiles, located),
    layout,
    file,
    name: row.name,
    state: present.state,
    reachedStep: Math.max(file?.lastStep ?? 0, row.step ?? 0),
    trainerChanged: trainerHasChanged(file),
    sourceDigest: file === null ? null : sourceDigestOf(file.identity.trainer),
    commandOf: (args) => (file === null ? null : commandOf(file.identity, args)),
    detectMs: clocks.monotonic() - startedMs,
  };
}

async function record({ drill: id, startedAt, sessions }: DrillReport, database: SessionsDatabase): Promise<void> {
  await database.write(({ drills }) => {
    for (const { session, level, ok, chosen, stepsLost, times, replay, injected, problems, warnings } of sessions) {
      drills.record({
        drill: id,
        session,
        at: startedAt,
        level: String(level),
        ok,
        chosenSequence: chosen?.sequence ?? null,
        chosenStep: chosen?.step ?? null,
        stepsLost,
        totalMs: times.totalMs,
        replay: replay?.outcome ?? null,
        injected: injected.map(({ name, ok: survived }) => (survived ? name : `${name} (no)`)),
        problems,
        warnings,
      });
    }
  });
}

const GPU_KINDS: ReadonlySet<string> = new Set(['gpu-lost', 'gpus']);
