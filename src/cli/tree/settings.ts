/** The command that shows the settings: `config`. */
import type { ConfigFlags } from '../flags.ts';
import { after, command, jsonOption, type Tree, withSettings } from './branch.ts';

export function addConfig({ program, choose, argv }: Tree): void {
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
      choose(async (own) => (await import('../commands/config.ts')).config({ words, asIs }, options, own));
    });
}
