/** The commands that only look: `list`, `show`, `explain`, `logs`, `gpu`, `doctor`. */
import { Option } from 'commander';
import type { GpuFlags, JsonFlag, ListFlags, LogsFlags } from '../flags.ts';
import { after, command, jsonOption, type Tree } from './branch.ts';

export function addList({ program, choose }: Tree): void {
  command(program, 'list', 'show the sessions on this machine, newest first')
    .option('--limit <n>', 'how many to show (default: 50; with --json all)')
    .option('--all', 'show every one')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after(['nkat-recover list', 'nkat-recover list --all', 'nkat-recover list --json | jq ".sessions[0].id"']),
    )
    .action((options: ListFlags) => {
      choose(async (own) => (await import('../commands/list.ts')).list(options, own));
    });
}

export function addShow({ program, choose }: Tree): void {
  command(program, 'show', 'show one session: its attempts and its checkpoints')
    .argument('[session]', 'id, unique beginning of an id, name, or latest', 'latest')
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover show latest', 'nkat-recover show night --json']))
    .action((session: string, options: JsonFlag) => {
      choose(async (own) => (await import('../commands/show.ts')).show(session, options, own));
    });
}

export function addExplain({ program, choose }: Tree): void {
  command(program, 'explain', 'say which checkpoint a session would go on from, and why; changes nothing')
    .argument('[session]', 'id, unique beginning of an id, name, or latest', 'latest')
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover explain latest']))
    .action((session: string, options: JsonFlag) => {
      choose(async (own) => (await import('../commands/explain.ts')).explain(session, options, own));
    });
}

export function addLogs({ program, choose }: Tree): void {
  command(program, 'logs', 'show what a session and its trainer said, rotated files included')
    .argument('[session]', 'id, unique beginning of an id, name, or latest', 'latest')
    .option('-f, --follow', 'go on until the session ends, or Ctrl-C')
    .option('--attempt <n>', 'only this attempt')
    .addOption(
      new Option('--level <level>', 'only this level and above').choices(['info', 'warn', 'error']).default('info'),
    )
    .option('--grep <word>', 'only lines that match this regular expression (upper and lower case differ)')
    .option('-n, --lines <n>', 'only the last n of them')
    .addOption(jsonOption('the lines of the log as they are, one JSON object each'))
    .addHelpText('after', () =>
      after([
        'nkat-recover logs -f',
        'nkat-recover logs night --level error',
        "nkat-recover logs --attempt 2 --grep 'loss .*nan' -n 20",
      ]),
    )
    .action((session: string, options: LogsFlags) => {
      choose(async (own) => (await import('../commands/logs.ts')).logs(session, options, own));
    });
}

export function addGpu({ program, choose }: Tree): void {
  command(program, 'gpu', "show this machine's cards: temperature, load, memory, power, and what is wrong with them")
    .option('--once', 'show them once, also on a terminal')
    .option('--watch', 'go on until Ctrl-C, also where there is no terminal; with --json a line each second')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after([
        'nkat-recover gpu',
        'nkat-recover gpu --json | jq ".cards[].temperatureC"',
        'nkat-recover gpu --json --watch >> cards.ndjson',
      ]),
    )
    .action((options: GpuFlags) => {
      choose(async (own) => (await import('../commands/gpu.ts')).gpu(options, own));
    });
}

export function addDoctor({ program, choose }: Tree): void {
  command(program, 'doctor', 'examine this machine: GPU and driver, disks, backends, clock, UPS, start at boot')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after(['nkat-recover doctor', `nkat-recover doctor --json | jq '.findings[] | select(.severity == "problem")'`]),
    )
    .action((options: JsonFlag) => {
      choose(async (own) => (await import('../commands/doctor.ts')).doctor(options, own));
    });
}
