/** What a shell can complete, read from the commander tree, so that it knows each command and option that there is. */
import type { Argument, Command, Option } from 'commander';

export type ValueKind =
  /** A switch: nothing follows. */
  | { readonly kind: 'none' }
  | { readonly kind: 'file' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'session' }
  /** A script that can be trained with; afterwards its own words. */
  | { readonly kind: 'trainer' }
  | { readonly kind: 'choices'; readonly choices: readonly string[] }
  /** A word that only a person knows. */
  | { readonly kind: 'word' };

export interface CompletedOption {
  /** `--keep`, and `-q` where there is one. */
  readonly names: readonly string[];
  readonly description: string;
  readonly value: ValueKind;
}

export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** What its first word is; null: it takes none. */
  readonly operand: ValueKind | null;
  /** Everything after the first word belongs to somebody else. */
  readonly passesOn: boolean;
  /** Commands that may stand in place of its first word. */
  readonly commands: readonly CompletedCommand[];
}

export interface CompletionModel {
  readonly commands: readonly CompletedCommand[];
  readonly options: readonly CompletedOption[];
}

/** What our Node runs itself; the scripts offer these, and folders, for a trainer. */
export const TRAINER_EXTENSIONS: readonly string[] = ['ts', 'mts', 'js', 'mjs'];

export function completionModel(program: Command): CompletionModel {
  return { commands: commandsOf(program), options: program.createHelp().visibleOptions(program).map(optionOf) };
}

function commandsOf(parent: Command): CompletedCommand[] {
  const help = parent.createHelp();
  return help.visibleCommands(parent).map((command) => {
    const [first] = command.registeredArguments;
    return {
      name: command.name(),
      description: command.description(),
      options: help.visibleOptions(command).map(optionOf),
      operand: first === undefined ? null : operandOf(first),
      passesOn: command.registeredArguments.some((argument) => argument.variadic && argument.name() === 'args'),
      commands: commandsOf(command),
    };
  });
}

function optionOf(option: Option): CompletedOption {
  const names = [option.short, option.long].filter((name) => name !== undefined && name !== null);
  // What stands in brackets is the variable; a shell's menu has no room for it.
  return { names, description: option.description.replace(/ \[\w+\]$/, ''), value: takenBy(option) };
}

function takenBy({ flags, argChoices }: Option): ValueKind {
  const placeholder = /[<[]([^>\]]+)[>\]]/.exec(flags)?.[1];
  if (placeholder === undefined) return { kind: 'none' };
  if (argChoices !== undefined) return { kind: 'choices', choices: argChoices };
  if (/^[\w-]+(\|[\w-]+)+$/.test(placeholder)) return { kind: 'choices', choices: placeholder.split('|') };
  if (placeholder === 'folder') return { kind: 'folder' };
  return placeholder === 'file' ? { kind: 'file' } : { kind: 'word' };
}

function operandOf(argument: Argument): ValueKind {
  if (argument.argChoices !== undefined) return { kind: 'choices', choices: argument.argChoices };
  const name = argument.name();
  return name === 'session' || name === 'trainer' ? { kind: name } : { kind: 'file' };
}
