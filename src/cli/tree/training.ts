/** The commands that train: `run` and `resume`. */
import type { ResumeFlags, RunFlags } from '../flags.ts';
import { misplacedAmong } from '../misplaced-option.ts';
import { after, command, jsonOption, type Tree, withSettings } from './branch.ts';

export function addRun({ program, choose, argv }: Tree): void {
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
      const misplaced = misplacedAmong(args, run.options, 'before the trainer');
      choose(async (own) => (await import('../commands/run.ts')).run({ words: rest, asIs, misplaced }, options, own));
    });
}

export function addResume({ program, choose, trailing }: Tree): void {
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
      const misplaced = misplacedAmong(trailing ?? [], resume.options, 'before the --');
      const words = { session, args: trailing, misplaced };
      choose(async (own) => (await import('../commands/resume.ts')).resume(words, options, own));
    });
}
