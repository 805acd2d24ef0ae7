/** `drill schedule`: has the machine rehearse at its times. */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '../../checkpoint/files.ts';
import { NkatError } from '../../errors.ts';
import { makeDirectory } from '../../make-directory.ts';
import { cronIsRunning } from '../../power/cron-daemon.ts';
import { type CronSchedule, readCron } from '../../power/cron-schedule.ts';
import {
  cronSteps,
  DRILL_TASK,
  type DrillPlace,
  type DrillPlan,
  drillEntryName,
  removeTaskSteps,
  taskSteps,
} from '../../power/drill-schedule.ts';
import type { ServiceStep } from '../../power/service-plan.ts';
import { runProgram } from '../../run-program.ts';
import type { CommandContext } from '../context.ts';
import { injectionsOf, levelOf, refuseNamesWithAll, withinOf } from '../drill-flags.ts';
import type { DrillScheduleFlags } from '../flags.ts';
import { withReadableIndex } from '../open-index.ts';
import { type Line, line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { nextWords, scheduleJson, scheduleLines } from '../render/schedule-words.ts';
import { resolveSession } from '../resolve-session.ts';
import { carryOut } from '../service/carry-out.ts';
import { DRILL_LOG } from '../service/keep-log-small.ts';
import { scheduledDrills } from '../service/scheduled-drills.ts';
import { usageError } from '../usage-error.ts';

/** Sundays at three: when least is done on most machines. */
const WEEKLY = '0 3 * * 0';
/** For a question to the task scheduler. */
const ANSWER_MS = 30_000;

export function drillSchedule(
  words: readonly string[],
  flags: DrillScheduleFlags,
  context: CommandContext,
): Promise<number> {
  const { list, remove } = flags;
  if (list === true && remove === true) throw usageError('--list and --remove are two commands: give one of them');
  if (list !== true && flags.json === true) throw usageError('--json is for --list');
  if (list === true || remove === true) {
    const unused = [...words, ...(['cron', 'all', 'level', 'within', 'inject'] as const).filter((key) => key in flags)];
    if (unused[0] !== undefined) {
      throw usageError(`${list === true ? '--list' : '--remove'} takes no more than this: not ${unused.join(', ')}`);
    }
    return list === true ? showSchedule(flags, context) : removeSchedule(flags, context);
  }
  return install(words, flags, context);
}

async function install(words: readonly string[], flags: DrillScheduleFlags, context: CommandContext): Promise<number> {
  const schedule = scheduleOf(flags.cron ?? WEEKLY);
  const place = await placeOf(words, flags, context);
  const isTask = process.platform === 'win32';
  const steps = stepsOf(
    isTask ? taskSteps(schedule, place) : cronSteps(schedule, context.home.directory, place),
    schedule,
  );
  const dryRun = flags.dryRun === true;
  // The shell of cron makes the log, but not its folder.
  if (!dryRun) makeDirectory(context.home.logs, 0o700);
  const say = sayer(context);
  await carryOut(steps, { dryRun, environment: context.environment, say });
  if (dryRun) return 0;
  say(line(`The next drill is on ${nextWords(schedule.text, context.clocks.now())}`, 'good'));
  say(line(`What it says goes to ${place.log}; what drills came to: nkat-recover drill --history`));
  if (!isTask && cronIsRunning() === false) {
    say(line('No cron runs on this machine now, and without it nothing is drilled: start it', 'warning', 'always'));
  }
  return 0;
}

async function removeSchedule({ dryRun = false }: DrillScheduleFlags, context: CommandContext): Promise<number> {
  const entry: ServiceStep = { kind: 'cron-entry', name: drillEntryName(context.home.directory), entry: null };
  const steps = process.platform === 'win32' ? removeTaskSteps() : [entry];
  await carryOut(steps, { dryRun, environment: context.environment, say: sayer(context) });
  return 0;
}

async function showSchedule({ json }: DrillScheduleFlags, context: CommandContext): Promise<number> {
  const { streams, terminal, clocks, home, environment } = context;
  if (process.platform === 'win32') {
    const { failure, stdout } = await runProgram(['schtasks', '/Query', '/TN', DRILL_TASK], environment, ANSWER_MS);
    const task = failure === null ? stdout : null;
    if (json === true) streams.out(`${JSON.stringify({ version: 1, schedules: task === null ? [] : [{ task }] })}\n`);
    else streams.out(`${task ?? 'No drill is scheduled.'}\n`);
    return 0;
  }
  const drills = await scheduledDrills(home.directory, environment);
  if (json === true) streams.out(`${JSON.stringify(scheduleJson(drills, clocks.now()))}\n`);
  else {
    const paint = paintWith(terminal.colourOut);
    for (const one of scheduleLines(drills, clocks.now())) streams.out(paintLine(paint, one));
  }
  return 0;
}

/** All that the drill would refuse is refused now: at night nobody is there to read it. @throws NkatError */
async function placeOf(
  words: readonly string[],
  flags: DrillScheduleFlags,
  context: CommandContext,
): Promise<DrillPlace> {
  const { home } = context;
  const level = levelOf(flags.level);
  withinOf(flags, level);
  const needsGpu = injectionsOf(flags, level).find(({ injection: { kind } }) => kind === 'gpu-lost' || kind === 'gpus');
  if (needsGpu !== undefined) {
    throw usageError(`${needsGpu.name} lets a trainer use a GPU, and a scheduled drill leaves them to training`);
  }
  refuseNamesWithAll(words, flags);
  if (words.length > 0) {
    await withReadableIndex(context, async (database) => {
      for (const word of words) await resolveSession(nodeFiles, database, word);
    });
  }
  const options = [
    ...(flags.all === true ? ['--all'] : []),
    ...(['level', 'within', 'inject'] as const).flatMap((key) => {
      const value = flags[key];
      return value === undefined ? [] : [`--${key}`, value];
    }),
  ];
  return {
    program: {
      // The program itself and not a link to it that a package manager may drop.
      words: [process.execPath, realpathSync(process.argv[1] ?? ''), 'drill', ...options, ...words],
      environment: { NKAT_HOME: home.directory },
    },
    log: join(home.logs, DRILL_LOG),
  };
}

/** @throws NkatError `usage` */
function scheduleOf(text: string): CronSchedule {
  const { schedule, problem } = readCron(text);
  if (schedule !== null) return schedule;
  throw usageError(`--cron is ${JSON.stringify(text)}: ${problem}`, `Sundays at three are --cron "${WEEKLY}".`);
}

/** @throws NkatError `preflight` */
function stepsOf({ steps, problem }: DrillPlan, { text }: CronSchedule): readonly ServiceStep[] {
  if (steps !== null) return steps;
  throw new NkatError(problem, {
    code: 'preflight',
    operation: `schedule drills (${text})`,
    hint: 'Put nkat-recover drill into another scheduler by hand.',
  });
}

function sayer({ streams, terminal }: CommandContext): (line: Line) => void {
  const paint = paintWith(terminal.colourErr);
  return (one) => streams.err(paintLine(paint, one));
}
