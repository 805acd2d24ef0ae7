/** The commands that prove what is stored: `verify` and `drill`. */
import { Option } from 'commander';
import type { DrillFlags, DrillScheduleFlags, VerifyFlags } from '../flags.ts';
import { after, command, jsonOption, type Tree } from './branch.ts';

export function addVerify({ program, choose }: Tree): void {
  command(program, 'verify', 'read checkpoints against their manifests and report damage; changes nothing')
    .argument('[session]', 'id, unique beginning of an id, name, or latest', 'latest')
    .option('--all', 'every session on this machine')
    .addOption(
      new Option('--level <level>', '0 manifest and sizes, 1 every byte, 2 also finite values')
        .choices(['0', '1', '2'])
        .default('2'),
    )
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover verify latest', 'nkat-recover verify --all --level 1']))
    .action((session: string, options: VerifyFlags) => {
      choose(async (own) => (await import('../commands/verify.ts')).verify(session, options, own));
    });
}

const DRILL_SESSIONS = 'ids, unique beginnings of ids, names, or latest (default: latest)';
const WITHIN = 'not good where a recovery takes longer, for example 30s';

export function addDrill({ program, choose }: Tree): void {
  const drill = command(
    program,
    'drill',
    'prove that sessions could be recovered now, by doing it beside them; changes nothing',
  )
    .usage('[options] [session...] | schedule')
    .argument('[session...]', DRILL_SESSIONS)
    .helpCommand(false)
    .enablePositionalOptions()
    .option('--all', 'every session with checkpoints')
    .addOption(drillLevel())
    .addOption(new Option('--device <device>', 'cpu leaves the GPU to training').choices(['cpu', 'gpu']).default('cpu'))
    .option('--within <time>', WITHIN)
    .option(
      '--inject <faults>',
      'survive faults on a copy: corrupt-newest,kill,disk-full,memory=1G,gpu-lost,gpus=0,2,3,random-kill=60s',
    )
    .option('--history', 'show what earlier drills came to, and drill nothing')
    .option('--timeout <time>', 'how long a launch of the trainer may take (default: 10m, more for long replays)')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after([
        'nkat-recover drill',
        'nkat-recover drill night --level 3 --within 30s',
        'nkat-recover drill --inject corrupt-newest,kill,disk-full',
        'nkat-recover drill --history',
        'nkat-recover drill --all --level 1',
        'nkat-recover drill schedule --all          every Sunday at three, from the crontab',
      ]),
    )
    .action((sessions: string[], options: DrillFlags) => {
      choose(async (own) => (await import('../commands/drill.ts')).drill(sessions, options, own));
    });
  addDrillSchedule({ program: drill, choose });
}

function addDrillSchedule({ program, choose }: Pick<Tree, 'program' | 'choose'>): void {
  command(program, 'schedule', 'have drills made at their times, from the crontab of this user')
    .argument('[session...]', DRILL_SESSIONS)
    .option('--cron <times>', `when, as in a crontab: minute, hour, day, month, day of the week (default: "0 3 * * 0")`)
    .option('--all', 'every session with checkpoints')
    .addOption(drillLevel())
    .option('--within <time>', WITHIN)
    .option('--inject <faults>', 'survive faults on a copy: corrupt-newest,kill,disk-full,memory=1G,random-kill=60s')
    .option('--list', 'show what is scheduled, and change nothing')
    .option('--remove', 'take the schedule of this state home away')
    .option('--dry-run', 'say what would be changed, and change nothing')
    .addOption(jsonOption('for --list'))
    .addHelpText('after', () =>
      after([
        'nkat-recover drill schedule                          the newest session, every Sunday at three',
        'nkat-recover drill schedule --cron "30 4 * * *" --all --level 2',
        'nkat-recover drill schedule night --within 60s',
        'nkat-recover drill schedule --list',
        'nkat-recover drill schedule --remove',
      ]),
    )
    .action((sessions: string[], options: DrillScheduleFlags) => {
      choose(async (own) => (await import('../commands/drill-schedule.ts')).drillSchedule(sessions, options, own));
    });
}

function drillLevel(): Option {
  return new Option(
    '--level <level>',
    '1 every byte, 2 also what is in it, 3 the trainer loads it and makes a step, replay it trains again, bit by bit (default: replay, else 3)',
  ).choices(['1', '2', '3', 'replay']);
}
