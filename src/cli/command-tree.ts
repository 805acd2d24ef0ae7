/**
 * The commander tree. Each command's file is loaded when it is called, so that `--help` loads none of them.
 */
import { Argument, Command, Option } from 'commander';
import { environmentName, SETTINGS } from '../config/definitions.ts';
import type { Shell } from './commands/completion.ts';
import type { ServiceAction } from './commands/service.ts';
import type { CommandContext } from './context.ts';
import { exitCodesHelp } from './exit-codes.ts';
import type {
  ConfigFlags,
  DrillFlags,
  JsonFlag,
  ListFlags,
  LogsFlags,
  PruneFlags,
  RecoverFlags,
  RepairFlags,
  ResumeFlags,
  RunFlags,
  SaveFlags,
  ServiceFlags,
  StopFlags,
  VerifyFlags,
} from './flags.ts';
import { ownVersion } from './version.ts';

const SERVICE_ACTIONS: readonly ServiceAction[] = ['install', 'status', 'remove'];
const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

export type Action = (context: CommandContext) => Promise<number>;

/**
 * The tree, with each command's action handed to `choose` once it was parsed.
 *
 * @param argv the words after the program's name, untouched
 * @param trailing what followed `--` in `resume`; null: no `--`
 */
export function buildProgram(
  context: CommandContext,
  argv: readonly string[],
  trailing: readonly string[] | null,
  choose: (action: Action) => void,
): Command {
  const program = new Command('nkat-recover')
    .description('Keeps a training run alive through power cuts, crashes, hangs and Ctrl-C.')
    .version(ownVersion(), '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.streams.out(text),
      writeErr: (text) => context.streams.err(text),
      getOutHelpWidth: () => context.terminal.columnsOut() ?? 100,
      getErrHelpWidth: () => context.terminal.columnsErr(),
      outputError: (text, write) => write(text.replace(/^error: /, 'nkat-recover: ')),
    })
    .addHelpText('after', () =>
      after([
        'nkat-recover run train.ts --epochs 100     start; the same line again continues',
        'nkat-recover list                          every session on this machine',
        'nkat-recover resume latest                 continue the newest one',
      ]),
    );

  const run = command(program, 'run', 'start a training run, or continue it where it was left')
    .argument('<trainer>', 'the training script (.ts, .mts, .js, .mjs), or after -- any command')
    .argument('[args...]', 'everything after the trainer belongs to the trainer')
    .passThroughOptions()
    .option('--name <name>', 'a name for the session; it is part of what tells sessions apart')
    .option('--new', 'start a new session although an earlier one could be continued')
    .option('--resume', 'continue without asking');
  withSettings(run)
    .option('--take-over', 'take the session over from another machine that is known to be dead')
    .addOption(jsonOption('one JSON object per event, line by line'))
    .option('-q, --quiet', 'only warnings, crashes and the end; the output of the trainer stays in the log')
    .addHelpText('after', () =>
      after([
        'nkat-recover run train.ts --epochs 100',
        'nkat-recover run --save-every 5m --best accuracy:max train.ts',
        'nkat-recover run --name night -- python train.py --lr 0.1',
      ]),
    )
    .action((trainer: string, args: string[], options: RunFlags) => {
      const rest = [trainer, ...args];
      // Commander drops the `--` that ends our options: it stands right before the words that it left over.
      const asIs = argv[argv.length - rest.length - 1] === '--';
      choose(async (own) => (await import('./commands/run.ts')).run({ words: rest, asIs }, options, own));
    });

  const resume = command(program, 'resume', 'continue a session by its id, its name, or latest')
    .argument('<session>', 'id, unique beginning of an id, name, or latest')
    .usage('[options] <session> [-- trainer args...]')
    .option('--from <checkpoint>', 'go on from this sequence number or path instead of the newest');
  withSettings(resume)
    .option('--take-over', 'take the session over from another machine that is known to be dead')
    .addOption(jsonOption('one JSON object per event, line by line'))
    .option('-q, --quiet', 'only warnings, crashes and the end; the output of the trainer stays in the log')
    .addHelpText('after', () =>
      after([
        'nkat-recover resume latest',
        'nkat-recover resume 20261122_120000 -- --epochs 200   other arguments for the trainer',
        'nkat-recover resume night --from 12                   from checkpoint 12',
      ]),
    )
    .action((session: string, options: ResumeFlags) => {
      choose(async (own) => (await import('./commands/resume.ts')).resume({ session, args: trailing }, options, own));
    });

  command(program, 'recover', 'bring back every session that a power cut or a dead supervisor interrupted')
    .option('--parallel <n>', 'how many may train at once (default: all, as they did before)')
    .option('--disk-wait <time>', 'wait this long for disks that are not mounted yet (default: 0s)')
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
      choose(async (own) => (await import('./commands/recover.ts')).recover(options, own));
    });

  command(program, 'service', 'have the machine run recover when it comes up')
    .addArgument(new Argument('<action>', 'what to do').choices(SERVICE_ACTIONS))
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
      choose(async (own) => (await import('./commands/service.ts')).service(action, options, own));
    });

  const config = command(program, 'config', 'show every setting of a run and where it comes from; changes nothing')
    .argument('[trainer]', 'the training script, as for run; without one, what counts in this folder')
    .argument('[args...]', 'as for run')
    .passThroughOptions();
  withSettings(config)
    .option('--all', 'also what is overridden')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after([
        'nkat-recover config train.ts                     what run train.ts would use',
        'nkat-recover config --all --profile night train.ts',
        'nkat-recover config --json | jq ".settings[] | select(.key == \\"keep\\").value"',
      ]),
    )
    .action((trainer: string | undefined, args: string[], options: ConfigFlags) => {
      const words = trainer === undefined ? [] : [trainer, ...args];
      const asIs = words.length > 0 && argv[argv.length - words.length - 1] === '--';
      choose(async (own) => (await import('./commands/config.ts')).config({ words, asIs }, options, own));
    });

  command(program, 'list', 'show the sessions on this machine, newest first')
    .option('--limit <n>', 'how many to show (default: 50; with --json all)')
    .option('--all', 'show every one')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after(['nkat-recover list', 'nkat-recover list --all', 'nkat-recover list --json | jq ".sessions[0].id"']),
    )
    .action((options: ListFlags) => {
      choose(async (own) => (await import('./commands/list.ts')).list(options, own));
    });

  command(program, 'show', 'show one session: its attempts and its checkpoints')
    .argument('[session]', 'id, unique beginning of an id, name, or latest', 'latest')
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover show latest', 'nkat-recover show night --json']))
    .action((session: string, options: JsonFlag) => {
      choose(async (own) => (await import('./commands/show.ts')).show(session, options, own));
    });

  command(program, 'explain', 'say which checkpoint a session would go on from, and why; changes nothing')
    .argument('[session]', 'id, unique beginning of an id, name, or latest', 'latest')
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover explain latest']))
    .action((session: string, options: JsonFlag) => {
      choose(async (own) => (await import('./commands/explain.ts')).explain(session, options, own));
    });

  command(program, 'save', 'save a running session now, from another terminal; waits until it is verified')
    .argument('[session]', 'id, unique beginning of an id, name, or latest (the running one)', 'latest')
    .option('--kind <kind>', 'what to call the checkpoint', 'manual')
    .option('--reason <text>', 'why; it is kept with the checkpoint')
    .option('--timeout <time>', 'how long to wait for the confirmed result (default: 10m)')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after(['nkat-recover save', 'nkat-recover save night --kind before-change --reason "new data tomorrow"']),
    )
    .action((session: string, options: SaveFlags) => {
      choose(async (own) => (await import('./commands/save.ts')).save(session, options, own));
    });

  command(program, 'stop', 'stop a running session with a save, as Ctrl-C would; waits until it has ended')
    .argument('[session]', 'id, unique beginning of an id, name, or latest (the running one)', 'latest')
    .option('--reason <text>', 'why; it is kept with the checkpoint and the attempt')
    .option('--timeout <time>', 'how long to wait for the end (default: 20m)')
    .addOption(jsonOption())
    .addHelpText('after', () => after(['nkat-recover stop', 'nkat-recover stop night --reason "the room gets warm"']))
    .action((session: string, options: StopFlags) => {
      choose(async (own) => (await import('./commands/stop.ts')).stop(session, options, own));
    });

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
      choose(async (own) => (await import('./commands/logs.ts')).logs(session, options, own));
    });

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
      choose(async (own) => (await import('./commands/verify.ts')).verify(session, options, own));
    });

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
      choose(async (own) => (await import('./commands/drill.ts')).drill(sessions, options, own));
    });

  command(program, 'repair', 'make the index again from the checkpoint folders, and mend what can be mended')
    .argument('[session]', 'only this session: its whole id')
    .option('--root <folder>', 'one more folder with sessions in it; it is remembered')
    .option('--dry-run', 'say what would be done and change nothing')
    .addOption(jsonOption())
    .addHelpText('after', () =>
      after(['nkat-recover repair --dry-run', 'nkat-recover repair --root /mnt/disk/checkpoints']),
    )
    .action((session: string | undefined, options: RepairFlags) => {
      choose(async (own) => (await import('./commands/repair.ts')).repair(session ?? null, options, own));
    });

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
      choose(async (own) => (await import('./commands/prune.ts')).prune(session ?? null, options, own));
    });

  command(program, 'completion', 'print a script that completes commands, options and sessions in your shell')
    .addArgument(new Argument('<shell>', 'the shell that reads it').choices(SHELLS))
    .addHelpText('after', () =>
      after([
        'eval "$(nkat-recover completion bash)"        in ~/.bashrc',
        'eval "$(nkat-recover completion zsh)"         in ~/.zshrc, after compinit',
        'nkat-recover completion fish > ~/.config/fish/completions/nkat-recover.fish',
      ]),
    )
    .action((shell: Shell) => {
      choose(async (own) => (await import('./commands/completion.ts')).completion(shell, program, own));
    });

  program.command('complete-sessions', { hidden: true }).action(() => {
    choose(async (own) => (await import('./commands/completion.ts')).completeSessions(own));
  });

  return program;
}

function command(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .helpOption('-h, --help', 'show this help')
    .allowExcessArguments(false);
}

function withSettings(target: Command): Command {
  for (const definition of SETTINGS) {
    const flags =
      definition.placeholder === null ? `--${definition.flag}` : `--${definition.flag} ${definition.placeholder}`;
    const option = new Option(flags, `${definition.description} [${environmentName(definition)}]`);
    // `--no-restart-codes` takes a value and negates nothing.
    option.negate = false;
    target.addOption(option);
  }
  return target
    .option(
      '--config <file>',
      'take settings from this file (default: nkat-recover.yaml near the trainer) [NKAT_CONFIG]',
    )
    .option('--no-config', 'take settings from no file')
    .option('--profile <name>', 'the profile of the file that counts [NKAT_PROFILE]');
}

function jsonOption(description = 'print JSON, a stable contract'): Option {
  return new Option('--json', description);
}

function after(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}\n\n${exitCodesHelp()}`;
}
