/** One command line from its words to its exit code: parse, call the command, report what was refused. */

import { CommanderError } from 'commander';
import { NkatError } from '../errors.ts';
import { buildProgram } from './command-tree.ts';
import type { CommandContext } from './context.ts';
import { exitCodeOf, exitCodeOfError } from './exit-codes.ts';
import { errorJson, errorWords } from './render/error-words.ts';
import { paintLine, paintWith } from './render/paint.ts';
import type { Action } from './tree/branch.ts';
import { refuseUnusableHome } from './usable-home.ts';
import { usageError } from './usage-error.ts';

/**
 * Runs one command line.
 *
 * @param argv the words after the program's name
 * @returns the exit code
 * @throws what is neither a refusal nor wrong usage: a defect, for the caller to report
 */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<number> {
  const { words, trailing } = splitArguments(argv);
  let action: Action | null = null;
  const program = buildProgram(context, argv, trailing, (chosen) => {
    action = chosen;
  });
  try {
    program.parse(words, { from: 'user' });
  } catch (error) {
    if (error instanceof NkatError) return withOutput(reportRefusal(error, argv, context), context);
    if (!(error instanceof CommanderError)) throw error;
    const code = reportUsage(error, argv, context);
    return withOutput(code, context);
  }
  if (action === null) return exitCodeOf('usage');
  const code = await carryOut(action, argv, context);
  return TRAINING.has(argv[0] ?? '') ? afterOutput(code, context) : withOutput(code, context);
}

/** Their work is the training, and the log has their words. All others have done nothing when their words are lost. */
const TRAINING: ReadonlySet<string> = new Set(['run', 'resume', 'recover']);

/** They need no state home. */
const HOMELESS: ReadonlySet<string> = new Set(['config', 'completion', 'complete-sessions']);

/** The code when stdout took everything or its reader left; an answer cut short by a full disk must not look like a whole one. */
async function withOutput(code: number, { streams, terminal }: CommandContext): Promise<number> {
  const failure = await streams.outFailure();
  if (failure === null || code !== 0) return code;
  const error = new NkatError(`the output could not be written: ${failure}`, {
    code: 'io',
    operation: 'write to stdout',
    hint: 'Free some space where stdout goes to, or send it elsewhere, and ask again.',
  });
  for (const line of errorWords(error)) streams.err(paintLine(paintWith(terminal.colourErr), line));
  return exitCodeOfError(error.code);
}

/** A slow reader gets all that was said; one that cannot take it changes nothing about the training. */
async function afterOutput(code: number, { streams }: CommandContext): Promise<number> {
  await streams.outFailure();
  return code;
}

/**
 * What follows `--` in `resume <session> -- ARGS` is the trainer's, and commander would not tell it from a slip
 * (`resume <session> ARGS`). In `run`, commander leaves everything after the trainer's path alone.
 */
function splitArguments(argv: readonly string[]): { words: string[]; trailing: readonly string[] | null } {
  const at = argv[0] === 'resume' ? argv.indexOf('--') : -1;
  return at < 0 ? { words: [...argv], trailing: null } : { words: argv.slice(0, at), trailing: argv.slice(at + 1) };
}

function reportUsage(error: CommanderError, argv: readonly string[], context: CommandContext): number {
  if (error.exitCode === 0) return 0;
  const first = argv[0];
  if (error.code === 'commander.unknownCommand' && first !== undefined && /[./\\]/.test(first)) {
    context.streams.err(`To start a training run: nkat-recover run ${argv.join(' ')}\n`);
  } else if (error.code !== 'commander.help') {
    const hint = usageHint(error.code === 'commander.unknownCommand' ? [] : argv);
    context.streams.err(`${hint}\n`);
    // A program that asked for JSON gets it, whatever it got wrong.
    if (wantsJson(argv)) {
      const message = error.message.replace(/^error: /, '').split('\n')[0] ?? '';
      const refusal = usageError(message, hint);
      context.streams.out(`${JSON.stringify(errorJson(refusal))}\n`);
    }
  }
  return exitCodeOf('usage');
}

function usageHint([first = '', second]: readonly string[]): string {
  const name = first === 'drill' && second === 'schedule' ? 'drill schedule' : first;
  return `See nkat-recover${/^[a-z]+( [a-z]+)?$/.test(name) ? ` ${name}` : ''} --help.`;
}

function withHint({ message, code, operation, path, cause }: NkatError, hint: string): NkatError {
  return new NkatError(message, { code, operation, hint, cause, ...(path !== undefined && { path }) });
}

async function carryOut(action: Action, argv: readonly string[], context: CommandContext): Promise<number> {
  try {
    if (!HOMELESS.has(argv[0] ?? '')) refuseUnusableHome(context.home);
    return await action(context);
  } catch (error) {
    if (!(error instanceof NkatError)) throw error;
    return reportRefusal(error, argv, context);
  }
}

function reportRefusal(error: NkatError, argv: readonly string[], { streams, terminal }: CommandContext): number {
  const paint = paintWith(terminal.colourErr);
  const told = error.code === 'usage' && error.hint === undefined ? withHint(error, usageHint(argv)) : error;
  if (wantsJson(argv)) streams.out(`${JSON.stringify(errorJson(told))}\n`);
  else for (const line of errorWords(told)) streams.err(paintLine(paint, line));
  return exitCodeOfError(error.code);
}

/** Good enough for errors: a `--json` of ours stands before the trainer, one of the trainer's costs only its shape. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json');
}
