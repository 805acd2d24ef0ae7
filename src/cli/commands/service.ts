/** `service`: has the machine start `recover` when it comes up. */

import { makeDirectory } from '../../make-directory.ts';
import { cronIsRunning } from '../../power/cron-daemon.ts';
import { installSteps, removeSteps, type ServicePlace } from '../../power/service-plan.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOf } from '../exit-codes.ts';
import type { ServiceFlags } from '../flags.ts';
import { type Line, line } from '../render/line.ts';
import { paintLine, paintWith } from '../render/paint.ts';
import { carryOut } from '../service/carry-out.ts';
import { type FoundService, lookAtService } from '../service/look.ts';
import { managerOf, ownMachine, placeOf } from '../service/place.ts';

export type ServiceAction = 'install' | 'status' | 'remove';

const MANAGER_WORDS = {
  'systemd-user': 'a systemd unit of this user',
  'systemd-system': 'a systemd unit of the system',
  cron: 'the crontab of this user',
  'task-scheduler': 'the Windows task scheduler',
} as const;

const NO_CRON = 'No cron runs on this machine now, and without it nothing is started at boot';

export async function service(action: ServiceAction, flags: ServiceFlags, context: CommandContext): Promise<number> {
  const place = placeOf(managerOf(ownMachine(), flags.cron === true), context);
  if (action === 'status') return status(place, flags, context);
  const say = sayer(context);
  const dryRun = flags.dryRun === true;
  // The shell of cron makes the log, but not its folder.
  if (!dryRun) makeDirectory(context.home.logs, 0o700);
  const steps = action === 'install' ? installSteps(place) : removeSteps(place);
  await carryOut(steps, { dryRun, environment: context.environment, say });
  if (dryRun) return 0;
  const done =
    action === 'install'
      ? `Installed as ${MANAGER_WORDS[place.manager]}: the next boot brings interrupted sessions back. Now: nkat-recover recover`
      : `Removed: interrupted sessions wait for nkat-recover recover`;
  say(line(done, 'good'));
  if (action === 'install' && place.manager === 'cron' && cronIsRunning() === false) {
    say(line(NO_CRON, 'warning', 'always'));
  }
  return 0;
}

async function status(place: ServicePlace, flags: ServiceFlags, context: CommandContext): Promise<number> {
  const found = await lookAtService(place, context.environment);
  const { manager } = place;
  if (flags.json === true) context.streams.out(`${JSON.stringify({ version: 1, manager, ...found })}\n`);
  else for (const one of statusLines(found, manager)) context.streams.out(paintLine(paintWith(false), one));
  return found.installed === 'yes' && isStarted(found) ? 0 : exitCodeOf('configuration');
}

/** Not there, there and not enabled, or with nobody who would start it: the next boot would bring nothing back. */
function isStarted({ enabled, cronRuns }: FoundService): boolean {
  return (enabled === null || enabled === 'enabled') && cronRuns !== false;
}

export function statusLines(found: FoundService, manager: ServicePlace['manager']): Line[] {
  const { installed, enabled, where, cronRuns } = found;
  const install = 'nkat-recover service install';
  if (installed === 'no') return [line(`Not installed (${where}). After a reboot nothing is brought back: ${install}`)];
  const words =
    installed === 'other' ? `Installed for another program or state home (${where}): ${install} replaces it` : null;
  const whenNot = cronRuns === false ? 'but nothing would start it' : `but it is ${enabled}: ${install}`;
  const state = isStarted(found) ? 'the next boot brings interrupted sessions back' : whenNot;
  return [
    line(words ?? `Installed as ${MANAGER_WORDS[manager]} (${where}); ${state}`),
    ...(cronRuns === false ? [line(NO_CRON, 'warning', 'always')] : []),
  ];
}

function sayer({ streams, terminal }: CommandContext): (line: Line) => void {
  const paint = paintWith(terminal.colourErr);
  return (one) => streams.err(paintLine(paint, one));
}
