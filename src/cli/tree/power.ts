/** The commands for what follows a power cut: `recover` and `service`. */
import { Argument } from 'commander';
import type { ServiceAction } from '../commands/service.ts';
import type { RecoverFlags, ServiceFlags } from '../flags.ts';
import { after, command, jsonOption, oneOf, type Tree } from './branch.ts';

const SERVICE_ACTIONS: readonly ServiceAction[] = ['install', 'status', 'remove'];

export function addRecover({ program, choose }: Tree): void {
  command(program, 'recover', 'bring back every session that a power cut or a dead supervisor interrupted')
    .option('--parallel <n>', 'how many may train at once (default: all, as they did before)')
    .option('--disk-wait <time>', 'wait this long for disks that are not mounted yet (default: 0s)')
    .option('--max-age <time>', 'leave alone what was last heard of longer ago, or none (default: 7d)')
    .option('--dry-run', 'say what would be done and start nothing')
    .option('-q, --quiet', 'only warnings, crashes and the end')
    .addOption(jsonOption('one JSON object per event, line by line; with --dry-run one object'))
    .addHelpText('after', () =>
      after([
        'nkat-recover recover --dry-run             what was interrupted, and what would be done',
        'nkat-recover recover --parallel 1          one after another, oldest first',
        'nkat-recover recover --disk-wait 5m        at boot, where disks come late',
      ]),
    )
    .action((options: RecoverFlags) => {
      choose(async (own) => (await import('../commands/recover.ts')).recover(options, own));
    });
}

export function addService({ program, choose }: Tree): void {
  command(program, 'service', 'have the machine run recover when it comes up')
    .addArgument(oneOf(new Argument('<action>', 'what to do'), SERVICE_ACTIONS))
    .option('--cron', 'the crontab of this user, also where there is systemd')
    .option('--dry-run', 'say what would be written and run, and do neither')
    .addOption(jsonOption('for status'))
    .addHelpText('after', () =>
      after([
        'nkat-recover service install --dry-run',
        'nkat-recover service install               a systemd unit, else an entry in the crontab',
        'nkat-recover service status',
      ]),
    )
    .action((action: ServiceAction, options: ServiceFlags) => {
      choose(async (own) => (await import('../commands/service.ts')).service(action, options, own));
    });
}
