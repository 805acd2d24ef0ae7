import { join } from 'node:path';
import { acquireClaim, releaseClaim } from '../../checkpoint/claim.ts';
import { nodeFiles } from '../../checkpoint/files.ts';
import { NkatError } from '../../errors.ts';
import { parseDuration } from '../../units.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOfError } from '../exit-codes.ts';
import type { RecoverFlags } from '../flags.ts';
import { locateSession } from '../located-session.ts';
import { withIndex, withReadableIndex } from '../open-index.ts';
import { planRecovery, type RecoveryPlan } from '../recover/candidates.ts';
import { whatIsMissing } from '../recover/readiness.ts';
import type { RecoverEvent } from '../recover/recover-events.ts';
import { Recovery } from '../recover/recovery.ts';
import { exitCodeOfRecovery } from '../recover/recovery-code.ts';
import type { Line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { planLines, planSummary, RecoverTelling } from '../render/recover-words.ts';
import { StatusLine } from '../render/status-line.ts';
import { keepLogSmall, SERVICE_LOG, tellLogProblem } from '../service/keep-log-small.ts';
import { systemdOf, tellSystemd } from '../service/tell-systemd.ts';
import { ownWatch } from '../session-state.ts';
import { usageError } from '../usage-error.ts';

/** Own folder in the state home: whoever recovers has a claim on it, as a supervisor has on its session. */
const LOCK_FOLDER = 'recover';

/** Of what was interrupted longer ago, somebody may have thought better by now: the room, the power, the data. */
const DEFAULT_MAX_AGE = '7d';

/** `recover`: brings back what a power cut or the death of a supervisor interrupted, and stays until it has ended. */
export async function recover(flags: RecoverFlags, context: CommandContext): Promise<number> {
  const parallel = parallelOf(flags.parallel);
  const diskWaitMs = diskWaitOf(flags.diskWait);
  const maxAgeMs = maxAgeOf(flags.maxAge);
  if (flags.dryRun === true) return showPlan(maxAgeMs, flags, context);
  return recoverNow({ parallel, diskWaitMs, maxAgeMs }, flags, context);
}

function showPlan(maxAgeMs: number | null, flags: RecoverFlags, context: CommandContext): Promise<number> {
  return withReadableIndex(context, async (database) => {
    const { streams, terminal, clocks } = context;
    const plan = await planRecovery(database, { maxAgeMs, nowMs: clocks.now() });
    if (flags.json === true) streams.out(`${JSON.stringify(planJson(plan))}\n`);
    else {
      const paint = paintWith(terminal.colourOut);
      for (const line of planLines(plan, terminal.columnsOut(), clocks.now())) streams.out(paintLine(paint, line));
    }
    return 0;
  });
}

interface RecoveryLimits {
  readonly parallel: number | null;
  readonly diskWaitMs: number;
  readonly maxAgeMs: number | null;
}

async function recoverNow(
  { parallel, diskWaitMs, maxAgeMs }: RecoveryLimits,
  flags: RecoverFlags,
  context: CommandContext,
): Promise<number> {
  tellLogProblem(context, keepLogSmall(join(context.home.logs, SERVICE_LOG)));
  const systemd = systemdOf(context);
  const lock = await lockRecovery(context);
  try {
    // Ready to be stopped with everything saved; that takes no waiting for disks.
    systemd?.ready();
    const { plan, bytes } = await withIndex(context, async (database) => {
      const found = await planRecovery(database, { maxAgeMs, nowMs: context.clocks.now() });
      const newest = found.candidates.map(({ session: { row } }) => {
        const present = database.checkpoints.presentIn(row.id);
        return [row.id, present.at(-1)?.bytes ?? null] as const;
      });
      return { plan: found, bytes: new Map(newest) };
    });
    const show = shower(flags, context);
    show.plan(plan);
    let stop: NodeJS.Signals | null = null;
    const recovery = new Recovery({
      candidates: plan.candidates,
      parallel,
      diskWaitMs,
      program: process.argv[1] ?? '',
      environment: context.environment,
      tell: (event) => {
        show.event(event);
        if (event.name === 'recovery-told' && systemd !== null) tellSystemd(systemd, event.session, event.event);
      },
      look: (session) => {
        const row = plan.candidates.find((candidate) => candidate.session.row.id === session)?.session.row;
        if (row === undefined) throw new RangeError(`no such candidate: ${session}`);
        return locateSession(nodeFiles, row, ownWatch());
      },
      onAllStarted: () => lock.release(),
      lastBytes: (session) => bytes.get(session) ?? null,
      nowMs: () => context.clocks.monotonic(),
    });
    if (plan.candidates.length === 0) return codeOfLeft(plan);
    context.signals.listen((signal) => {
      stop ??= signal;
      systemd?.stopping('every session saves before it stops');
      recovery.signal(signal);
    });
    const results = await recovery.run();
    const exitCode = exitCodeOfRecovery(results, stop) || codeOfLeft(plan);
    show.event({ name: 'recovery-ended', results, exitCode });
    return exitCode;
  } finally {
    await lock.release();
    await systemd?.close();
  }
}

interface Lock {
  /** Once; later calls do nothing. */
  release(): Promise<void>;
}

/**
 * One at a time, until all are started: two would start more at once than either was allowed to. The sessions themselves are
 * guarded by their own claims.
 *
 * @throws NkatError `session-held`
 */
async function lockRecovery({ home }: CommandContext): Promise<Lock> {
  const directory = join(home.directory, LOCK_FOLDER);
  // On another machine with the same state home nobody would ever give it back.
  const outcome = await acquireClaim(nodeFiles, directory, { role: 'supervisor', takeOver: true });
  if (outcome.status === 'held') {
    throw new NkatError(`another recovery is at work: pid ${outcome.by.pid}, since ${outcome.by.at}`, {
      code: 'session-held',
      operation: 'bring interrupted sessions back',
      hint: 'It starts them all; see them with nkat-recover list.',
    });
  }
  let isReleased = false;
  return {
    release: async () => {
      if (isReleased) return;
      isReleased = true;
      await releaseClaim(nodeFiles, directory, outcome.claim);
    },
  };
}

interface Shower {
  readonly plan: (plan: RecoveryPlan) => void;
  readonly event: (event: RecoverEvent) => void;
}

function shower(flags: RecoverFlags, context: CommandContext): Shower {
  const { streams, terminal, clocks } = context;
  if (flags.json === true) {
    const write = (event: object): void => {
      const at = new Date(clocks.now()).toISOString();
      streams.out(`${JSON.stringify({ version: 1, at, ...event })}\n`);
    };
    return {
      plan: (plan) => write({ name: 'recovery-planned', ...planFacts(plan) }),
      event: (event) => {
        if (event.name !== 'recovery-told') write(event);
        // The supervisor's own event, with the session that it is about; progress and output are in its log.
        else if (event.event.name !== 'progress' && event.event.name !== 'output') {
          streams.out(`${JSON.stringify({ ...event.event, session: event.session })}\n`);
        }
      },
    };
  }
  const status = new StatusLine(context);
  const telling = new RecoverTelling();
  const paint = paintWith(terminal.colourErr);
  const say = (line: Line): void => {
    status.clear();
    if (flags.quiet !== true || line.weight === 'always') streams.err(paintLine(paint, line));
  };
  return {
    plan: (plan) => {
      for (const line of planSummary(plan, false)) say(line);
    },
    event: (event) => {
      for (const line of telling.lines(event)) say(line);
      if (event.name === 'recovery-told' && event.event.name === 'progress') {
        status.show(
          `[${event.session}] step ${event.event.step}${event.event.loss === null ? '' : `, loss ${event.event.loss}`}`,
        );
      }
    },
  };
}

function planJson(plan: RecoveryPlan): object {
  return { version: 1, dryRun: true, ...planFacts(plan) };
}

function planFacts({ candidates, left }: RecoveryPlan): object {
  return {
    sessions: candidates.map(({ session, action }) => {
      const { row, present } = session;
      const missing = whatIsMissing(session);
      return {
        session: row.id,
        sessionName: row.name,
        state: present.state,
        action,
        step: row.step,
        updatedAt: row.updatedAt,
        missing: missing === null ? null : { path: missing.path, message: missing.message },
      };
    }),
    left: left.map(({ row, state, reason, isTooOld }) => ({ session: row.id, state, reason, tooOld: isTooOld })),
  };
}

/** A session that could not even be read is a failure of the recovery; one that was left on purpose is not. */
function codeOfLeft({ left }: RecoveryPlan): number {
  const failed = left.find(({ error }) => error !== null);
  return failed?.error ? exitCodeOfError(failed.error.code) : 0;
}

function parallelOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw usageError(`--parallel is ${JSON.stringify(text)}; accepted is a whole number from 1`);
}

/** Null: no limit. */
function maxAgeOf(text = DEFAULT_MAX_AGE): number | null {
  if (text === 'none') return null;
  const ms = parseDuration(text);
  if (ms !== null && ms > 0) return ms;
  throw usageError(`--max-age is ${JSON.stringify(text)}; accepted is a duration such as 7d or 12h, or none`);
}

function diskWaitOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  throw usageError(`--disk-wait is ${JSON.stringify(text)}; accepted is a duration such as 90s, 5m or 1h30m`);
}
