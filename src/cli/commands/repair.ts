import { resolve } from 'node:path';
import { synchronousReads } from '../../checkpoint/synchronous-reads.ts';
import { databaseRefusal } from '../../sessions/sqlite-errors.ts';
import { type RepairRequest, type RepairStage, repair as repairAll } from '../../supervisor/repair.ts';
import type { RepairFinding } from '../../supervisor/repair-finding.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { RepairFlags } from '../flags.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { findingLine, repairSummary } from '../render/repair-words.ts';
import { StatusLine } from '../render/status-line.ts';
import { usageError } from '../usage-error.ts';

/** Lines of progress where there is no terminal: every so many sessions. */
const LINE_EVERY = 1_000;

const STAGE_WORDS: Readonly<Record<RepairStage, string>> = {
  folders: 'Looking for sessions',
  sessions: 'Looking at sessions',
  index: 'Writing the index',
};

/** `repair`: index and directories in order; exit 74 where a disk cannot be read, 65 where something stays lost. */
export async function repair(session: string | null, flags: RepairFlags, context: CommandContext): Promise<number> {
  const { streams, terminal, home, clocks, cwd } = context;
  // An empty shell variable: the present folder is not what was meant.
  if (flags.root === '') throw usageError('--root is empty; accepted is the folder of a checkpoint root');
  const status = new StatusLine(context);
  const paint = paintWith(terminal.colourOut);
  const dryRun = flags.dryRun === true;
  const request: RepairRequest = {
    home,
    root: flags.root === undefined ? null : resolve(cwd, flags.root),
    session,
    dryRun,
    now: new Date(clocks.now()),
    onFinding: (found) => {
      status.clear();
      if (flags.json !== true) streams.out(paintLine(paint, findingLine(found)));
    },
    onProgress: (stage, done, total) => {
      const words = `${STAGE_WORDS[stage]}: ${done} of ${total}`;
      if (terminal.live) status.show(words);
      else if (total >= LINE_EVERY && (done % LINE_EVERY === 0 || done === total)) streams.err(`${words}\n`);
    },
  };
  const report = await repairAll(synchronousReads, request).catch((error: unknown) => {
    throw databaseRefusal(error, home.database) ?? error;
  });
  status.clear();
  if (flags.json === true) streams.out(`${JSON.stringify({ version: 1, dryRun, ...report })}\n`);
  else streams.out(paintLine(paint, repairSummary(report, dryRun)));
  return exitCodeOfRepair(report.findings);
}

function exitCodeOfRepair(findings: readonly RepairFinding[]): number {
  const left = findings.filter(({ fixed, what }) => fixed === null && what !== 'session-held');
  if (left.some(({ what }) => what === 'record-lost' || what === 'directory-passed-over')) return exitCodeOf('damaged');
  return left.length > 0 ? exitCodeOf('io') : 0;
}
