/** The commands that prove what is stored: `verify` and `drill`. */
import { Option } from 'commander';
import type { DrillFlags, VerifyFlags } from '../flags.ts';
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

export function addDrill({ program, choose }: Tree): void {
  command(program, 'drill', 'prove that sessions could be recovered now, by doing it beside them; changes nothing')
    .argument('[session...]', 'ids, unique beginnings of ids, names, or latest (default: latest)')
    .option('--all', 'every session with checkpoints')
    .addOption(
      new Option(
        '--level <level>',
        '1 every byte, 2 also what is in it, 3 the trainer loads it and makes a step, replay it trains again, bit by bit (default: replay, else 3)',
      ).choices(['1', '2', '3', 'replay']),
    )
    .addOption(new Option('--device <device>', 'cpu leaves the GPU to training').choices(['cpu', 'gpu']).default('cpu'))
    .option('--within <time>', 'not good where a recovery takes longer, for example 30s')
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
      ]),
    )
    .action((sessions: string[], options: DrillFlags) => {
      choose(async (own) => (await import('../commands/drill.ts')).drill(sessions, options, own));
    });
}
