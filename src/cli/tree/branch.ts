/**
 * What every branch of the command tree is made of: the same help, the same end of it, the settings as options.
 */
import { type Command, Option } from 'commander';
import { environmentName, SETTINGS } from '../../config/definitions.ts';
import type { CommandContext } from '../context.ts';
import { exitCodesHelp } from '../exit-codes.ts';

export type Action = (context: CommandContext) => Promise<number>;

/** What a command needs to hang itself into the tree. */
export interface Tree {
  program: Command;
  /** Called with the action of the command that was parsed. */
  choose: (action: Action) => void;
  /** The words after the program's name, untouched. */
  argv: readonly string[];
  /** What followed `--` in `resume`; null: no `--`. */
  trailing: readonly string[] | null;
}

export function command(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .helpOption('-h, --help', 'show this help')
    .allowExcessArguments(false);
}

export function withSettings(target: Command): Command {
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

export function jsonOption(description = 'print JSON, a stable contract'): Option {
  return new Option('--json', description);
}

export function after(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}\n\n${exitCodesHelp()}`;
}
