/** From the words after our options to what is run: a trainer of ours, or any command as it is. */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import type { SessionIdentity } from '../checkpoint/types.ts';
import { errnoOf, NkatError } from '../errors.ts';
import { findProgram } from '../executable.ts';

/** What our Node runs itself, with the preload; everything else is a command. */
const SCRIPT_EXTENSIONS: readonly string[] = ['.ts', '.mts', '.js', '.mjs'];
/** Runs a command of which the first word looks like a trainer, but that was asked for as it is. */
const ENV = '/usr/bin/env';

export interface TrainerWords {
  readonly words: readonly string[];
  /** The words stood behind `--`: run them as they are. */
  readonly asIs: boolean;
}

/**
 * The identity of the session that these words mean. The trainer's path is real, so that the same trainer through a
 * link is the same session; that of a command is as it was found, since a virtual environment is a link that matters.
 *
 * @throws NkatError `configuration` when there is nothing there that can be run
 */
export function identityOfWords(
  { words, asIs }: TrainerWords,
  place: { readonly cwd: string; readonly path: string | undefined },
  name: string | null,
): SessionIdentity {
  const [first = '', ...args] = words;
  const cwd = realpathSync(place.cwd);
  if (asIs) {
    const command = findCommand(first, cwd, place.path);
    if (!isScript(command)) return { cwd, trainer: command, args, name };
    return { cwd, trainer: ENV, args: [command, ...args], name };
  }
  const path = resolve(cwd, first);
  if (isScript(path)) return { cwd, trainer: checkedFile(path, constants.R_OK, first), args, name };
  return { cwd, trainer: checkedFile(path, constants.X_OK, [first, ...args].join(' ')), args, name };
}

/** The command of a session, or null where our Node runs the trainer with the preload. */
export function commandOf(identity: SessionIdentity, args: readonly string[] | null = null): readonly string[] | null {
  return isScript(identity.trainer) ? null : [identity.trainer, ...(args ?? identity.args)];
}

/**
 * The trainer of a session that is resumed must still be there.
 *
 * @throws NkatError `configuration`
 */
export function checkTrainer(identity: SessionIdentity): void {
  const mode = isScript(identity.trainer) ? constants.R_OK : constants.X_OK;
  checkedFile(identity.trainer, mode, identity.trainer);
}

export function isScript(path: string): boolean {
  return SCRIPT_EXTENSIONS.includes(extname(path));
}

function checkedFile(path: string, mode: number, words: string): string {
  try {
    const real = realpathSync(path);
    if (statSync(real).isDirectory()) throw refusal('it is a folder', path, 'Name the script inside it.');
    accessSync(real, mode);
    return real;
  } catch (error) {
    if (error instanceof NkatError) throw error;
    const asCommand = `To run any command as it is: nkat-recover run -- ${words}`;
    switch (errnoOf(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        throw refusal('there is no such file', path, isScript(path) ? 'Check the path.' : asCommand, error);
      case 'EACCES':
        if (mode === constants.X_OK) throw refusal('it is not executable', path, asCommand, error);
        throw refusal('it may not be read', path, `Check its permissions: ls -l ${path}`, error);
      case 'ELOOP':
        throw refusal('it is a link that leads to itself', path, 'Check the link.', error);
      default:
        throw error;
    }
  }
}

function findCommand(word: string, cwd: string, path: string | undefined): string {
  const found = findProgram(word, { path, cwd });
  if (found !== null) return found;
  throw refusal(`no executable ${word} was found`, word, 'Name it by its path, or check PATH.');
}

function refusal(message: string, path: string, hint: string, cause?: unknown): NkatError {
  return new NkatError(message, { code: 'configuration', operation: 'run the trainer', path, hint, cause });
}
