/** The commands that mend and clear away: `repair` and `prune`. */
import type { PruneFlags, RepairFlags } from '../flags.ts';
import { after, command, jsonOption, type Tree } from './branch.ts';

export function addRepair({ program, choose }: Tree): void {
  command(program, 'repair', 'make the index again from the checkpoint folders, and mend what can be mended')
    .argument('[session]', 'only this session: its id, the unique beginning of its id, its name, or latest')
    .option('--root <folder>', 'one more folder with sessions in it; it is remembered')
    .option('--dry-run', 'say what would be done and change nothing')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after(['nkat-recover repair --dry-run', 'nkat-recover repair --root /mnt/disk/checkpoints']),
    )
    .action((session: string | undefined, options: RepairFlags) => {
      choose(async (own) => (await import('../commands/repair.ts')).repair(session ?? null, options, own));
    });
}

export function addPrune({ program, choose }: Tree): void {
  command(program, 'prune', 'delete old checkpoints, quarantine or whole sessions; never what a session still needs')
    .argument('[session]', 'id, unique beginning of an id, name, or latest')
    .option('--all', 'every session on this machine that nobody is using')
    .option('--keep <n>', 'keep the newest n checkpoints of each session (default: 5)')
    .option('--keep-bytes <size>', 'delete the oldest until the checkpoints of all these sessions take this much')
    .option('--older-than <age>', 'delete only what is older, for example 30d')
    .option('--quarantine', 'delete what is in quarantine')
    .option(
      '--delete-session',
      'delete the whole session, but for the copies of its best model; with --all completed ones, and --older-than is needed',
    )
    .option('--dry-run', 'show what would go and delete nothing')
    .option('-y, --yes', 'do not ask')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after([
        'nkat-recover prune latest --keep 2 --dry-run',
        'nkat-recover prune --all --keep-bytes 200GB',
        'nkat-recover prune --all --older-than 90d --delete-session --yes',
        'nkat-recover prune night --quarantine',
      ]),
    )
    .action((session: string | undefined, options: PruneFlags) => {
      choose(async (own) => (await import('../commands/prune.ts')).prune(session ?? null, options, own));
    });
}
