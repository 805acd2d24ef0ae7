/**
 * What every branch of the command tree is made of: the same help, the same end of it, the settings as options.
 */
import { type Argument, type Command, Option } from 'commander';
import { environmentName, SETTINGS } from '../../config/definitions.ts';
import type { CommandContext } from '../context.ts';
import { exitCodesHelp } from '../exit-codes.ts';
import { usageError } from '../usage-error.ts';

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
  target
    .option(
      '--config <file>',
      'take settings from this file (default: nkat-recover.yaml near the trainer) [NKAT_CONFIG]',
    )
    .option('--no-config', 'take settings from no file')
    .option('--profile <name>', 'the profile of the file that counts [NKAT_PROFILE]');
  refuseTogether(target, 'config', 'no-config');
  return target;
}

/** An argument that is one of these words, and says which where it is none. */
export function oneOf(argument: Argument, words: readonly string[]): Argument {
  argument.choices(words);
  return argument.argParser((text: string) => {
    if (words.includes(text)) return text;
    throw usageError(`${argument.name()} is ${JSON.stringify(text)}; accepted are ${words.join(', ')}`);
  });
}

/** The last of two that contradict one another must not win in silence. */
function refuseTogether(target: Command, one: string, other: string): void {
  const said = new Set<string>();
  for (const name of [one, other]) {
    target.on(`option:${name}`, () => {
      said.add(name);
      if (said.size === 2) throw usageError(`--${one} and --${other} exclude one another`, 'Leave one of the two out.');
    });
  }
}

export function jsonOption(description = 'print JSON, a stable contract'): Option {
  return new Option('--json', description);
}

export function after(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}\n\n${exitCodesHelp()}`;
}
