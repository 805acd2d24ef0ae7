import { existsSync } from 'node:fs';
import { nodeFiles } from '../../checkpoint/files.ts';
import type { PruneRules } from '../../checkpoint/prune-plan.ts';
import { NkatError } from '../../errors.ts';
import type { SessionsDatabase } from '../../sessions/database.ts';
import {
  carryOutPruning,
  type PlannedPrune,
  type PruneOrder,
  type PruneReport,
  type PruneTarget,
  planPruning,
} from '../../supervisor/prune.ts';
import { parseDuration, parseSize } from '../../units.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { PruneFlags } from '../flags.ts';
import { locateSession } from '../located-session.ts';
import { withIndex } from '../open-index.ts';
import { askYesNo } from '../prompt.ts';
import { line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { amountWords, overBudgetLine, pruneTable, sparedLines } from '../render/prune-words.ts';
import { StatusLine } from '../render/status-line.ts';
import { resolveSession } from '../resolve-session.ts';
import { ownWatch } from '../session-state.ts';
import { usageError } from '../usage-error.ts';

/** Keeps every checkpoint: where only the quarantine or whole sessions are asked for. */
const KEEP_ALL = Number.MAX_SAFE_INTEGER;

type Asked = 'yes' | 'no' | 'dry-run' | 'not-asked';

/** `prune`: says what would go, asks, and deletes it session by session. */
export function prune(word: string | null, flags: PruneFlags, context: CommandContext): Promise<number> {
  checkFlags(word, flags);
  const rules = rulesOf(flags, context.clocks.now());
  return withIndex(context, async (database) => {
    const targets = await targetsOf(word, flags, rules, database);
    const order: PruneOrder = { targets, rules, quarantine: flags.quarantine === true };
    const status = new StatusLine(context);
    const plan = await planPruning(nodeFiles, order, (done, total) =>
      status.show(`Looking at sessions: ${done} of ${total}`),
    );
    status.clear();
    refuseHeldOne(word, plan);
    const answer = await answerOf(plan, flags, context);
    if (answer !== 'yes') return showPlan(plan, answer, flags, context);
    const report = await carryOutPruning(nodeFiles, database, plan, (done, total) =>
      status.show(`Pruning sessions: ${done} of ${total}`),
    );
    status.clear();
    showReport(report, plan, flags, context);
    return word !== null && report.spared.some(({ why }) => why === 'unsafe') ? exitCodeOf('damaged') : 0;
  });
}

function checkFlags(word: string | null, flags: PruneFlags): void {
  if ((word === null) === (flags.all !== true)) {
    const message = word === null ? 'name a session, or --all' : 'name a session or --all, not both';
    throw usageError(message, 'See what there is: nkat-recover list');
  }
  if (flags.all === true && flags.deleteSession === true && flags.olderThan === undefined) {
    throw usageError('--all --delete-session needs an age', 'For example: --older-than 90d');
  }
  if (flags.deleteSession === true && (flags.keep !== undefined || flags.keepBytes !== undefined)) {
    throw usageError('--delete-session keeps nothing, so --keep and --keep-bytes have no meaning beside it');
  }
}

function rulesOf(flags: PruneFlags, now: number): PruneRules {
  const keep = flags.keep === undefined ? null : Number(/^[1-9]\d{0,8}$/.test(flags.keep) ? flags.keep : Number.NaN);
  if (Number.isNaN(keep)) {
    throw usageError(`--keep is ${JSON.stringify(flags.keep)}; accepted is a whole number from 1`);
  }
  const keepBytes = flags.keepBytes === undefined ? null : parseSize(flags.keepBytes);
  if (flags.keepBytes !== undefined && keepBytes === null) {
    throw usageError(`--keep-bytes is ${JSON.stringify(flags.keepBytes)}; accepted is a size such as 200GB or 512MiB`);
  }
  const age = flags.olderThan === undefined ? null : parseDuration(flags.olderThan);
  if (flags.olderThan !== undefined && age === null) {
    throw usageError(`--older-than is ${JSON.stringify(flags.olderThan)}; accepted is an age such as 30d or 12h`);
  }
  const asksForCheckpoints = keep !== null || keepBytes !== null || age !== null;
  const onlyOthers = flags.deleteSession === true || (flags.quarantine === true && !asksForCheckpoints);
  return { keep: onlyOthers ? KEEP_ALL : keep, keepBytes, before: age === null ? null : now - age };
}

async function targetsOf(
  word: string | null,
  flags: PruneFlags,
  { before }: PruneRules,
  database: SessionsDatabase,
): Promise<PruneTarget[]> {
  const watch = ownWatch();
  if (word !== null) {
    const { layout, file } = await locateSession(nodeFiles, await resolveSession(nodeFiles, database, word), watch);
    if (file === null) await requireDirectory(layout.directory);
    return [{ layout, whole: flags.deleteSession === true }];
  }
  const targets: PruneTarget[] = [];
  for (const row of database.sessions.list()) {
    const isOld = before !== null && Date.parse(row.updatedAt) < before;
    const whole = flags.deleteSession === true && row.state === 'completed' && isOld;
    if (flags.deleteSession === true && !whole) continue;
    const layout = { session: row.id, directory: `${row.root}/${row.id}`, backups: row.backups };
    targets.push({ layout, whole });
  }
  return targets;
}

async function requireDirectory(directory: string): Promise<void> {
  try {
    await nodeFiles.facts(directory);
  } catch (error) {
    throw new NkatError('its directory is missing', {
      code: 'store-missing',
      operation: 'prune the session',
      path: directory,
      hint: 'Mount the disk that holds it.',
      cause: error,
    });
  }
}

/** A session that was named and is in use is a refusal; among many it is left out and told. */
function refuseHeldOne(word: string | null, { spared }: PlannedPrune): void {
  const [first] = spared;
  if (word === null || first === undefined) return;
  const code = first.why === 'held' ? 'session-held' : 'io';
  throw new NkatError(first.message, {
    code,
    operation: `prune session ${first.session}`,
    hint:
      first.why === 'held'
        ? `What is in use rotates its checkpoints by itself. Stop it first: nkat-recover stop ${first.session}`
        : `See what is wrong: nkat-recover verify ${first.session}`,
  });
}

async function answerOf(plan: PlannedPrune, flags: PruneFlags, context: CommandContext): Promise<Asked> {
  if (flags.dryRun === true || plan.removals.length === 0) return 'dry-run';
  if (flags.yes === true) return 'yes';
  if (!context.terminal.interactive || flags.json === true) return 'not-asked';
  printPlan(plan, context);
  const question = `Delete ${amountWords(plan.removals)}?`;
  return (await askYesNo(question, context.stdin, context.streams, 'no')) === 'yes' ? 'yes' : 'no';
}

/** Nothing is deleted: it was not wanted, or nobody could be asked. */
function showPlan(plan: PlannedPrune, answer: Asked, flags: PruneFlags, context: CommandContext): number {
  const { removals, spared, remainingBytes } = plan;
  const { streams } = context;
  if (flags.json === true) {
    const freedBytes = removals.reduce((sum, { bytes }) => sum + bytes, 0);
    streams.out(
      `${JSON.stringify({ version: 1, dryRun: true, removed: removals, spared, freedBytes, remainingBytes })}\n`,
    );
  } else if (answer === 'no') {
    streams.err('Nothing was deleted.\n');
    return 0;
  } else {
    printPlan(plan, context);
    const words = removals.length === 0 ? 'There is nothing to delete.' : `Would delete ${amountWords(removals)}.`;
    streams.out(`${words}\n`);
  }
  if (answer !== 'not-asked') return 0;
  streams.err('Nothing was deleted: to delete this without being asked, add --yes.\n');
  return exitCodeOf('usage');
}

function printPlan({ removals, spared, order, remainingBytes }: PlannedPrune, context: CommandContext): void {
  const { streams, terminal, clocks } = context;
  const paintErr = paintWith(terminal.colourErr);
  for (const told of sparedLines(spared)) streams.err(paintLine(paintErr, told));
  const over = overBudgetLine(remainingBytes, order.rules.keepBytes);
  if (over !== null) streams.err(paintLine(paintErr, over));
  if (removals.length === 0) return;
  const lines = pruneTable(removals, terminal.columnsOut(), clocks.now(), paintWith(terminal.colourOut));
  streams.out(`${lines.join('\n')}\n`);
}

function showReport(report: PruneReport, plan: PlannedPrune, flags: PruneFlags, context: CommandContext): void {
  const { streams, terminal, clocks } = context;
  const { removed, spared } = report;
  if (flags.json === true) {
    const { remainingBytes } = plan;
    streams.out(`${JSON.stringify({ version: 1, dryRun: false, ...report, remainingBytes })}\n`);
    return;
  }
  const paintErr = paintWith(terminal.colourErr);
  for (const told of sparedLines(spared)) streams.err(paintLine(paintErr, told));
  const paint = paintWith(terminal.colourOut);
  if (removed.length === 0) {
    streams.out('Nothing was deleted.\n');
    return;
  }
  streams.out(`${pruneTable(removed, terminal.columnsOut(), clocks.now(), paint).join('\n')}\n`);
  streams.out(paintLine(paint, line(`Deleted ${amountWords(removed)}.`, 'good')));
  for (const path of copiesLeft(removed, plan)) {
    streams.out(
      paintLine(paint, line(`The copies of its best model stay, and no command of ours finds them any more: ${path}`)),
    );
  }
}

/** Of sessions that are gone: their copies may lie on another disk, and are what a person is likeliest to miss. */
function copiesLeft(removed: PruneReport['removed'], { order }: PlannedPrune): string[] {
  const gone = new Set(removed.filter(({ kind }) => kind === 'session').map(({ session }) => session));
  const places = order.targets.map(({ layout }) => layout).filter(({ session }) => gone.has(session));
  return places.map(({ backups }) => backups).filter((path) => existsSync(path));
}
