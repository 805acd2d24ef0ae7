/** One session as it is brought back: a supervisor of its own, and what that tells. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { SessionFile } from '../../checkpoint/types.ts';
import type { SupervisorEvent } from '../../supervisor/events.ts';

/** An event of a supervisor, as its `--json` has it. */
export type ToldEvent = SupervisorEvent & { readonly at: string };

export interface RecoveringOptions {
  readonly file: SessionFile;
  /** The program itself, as it was called. */
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly onEvent: (event: ToldEvent) => void;
  /** Its end, after all events. */
  readonly onEnd: (end: RecoveringEnd) => void;
}

export interface RecoveringEnd {
  /** Null: a signal ended it, or it could not be started. */
  readonly code: number | null;
  /** Why it refused or broke, where it said so. */
  readonly message: string | null;
}

/** Last words on stderr that are kept. */
const KEPT_CHARACTERS = 2_000;

export class RecoveringSession {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;

  /**
   * The supervisor has a process group of its own and no pipe that its life depends on: it goes on when we die, as does
   * its worker when it dies itself.
   */
  constructor({ file, program, environment, onEvent, onEnd }: RecoveringOptions) {
    const noConfig = file.launch?.noConfig === true ? ['--no-config'] : [];
    const child = spawn(process.execPath, [program, 'resume', '--json', ...noConfig, file.id], {
      cwd: file.identity.cwd,
      // As it was started: the variables of whoever recovers are those of a boot.
      env: { ...environment, ...file.launch?.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.#child = child;
    let refusal: string | null = null;
    let lastWords = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-KEPT_CHARACTERS);
    });
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      const told = parse(line);
      if (told === null) return;
      if (isEvent(told)) onEvent(told);
      else refusal = refusalOf(told) ?? refusal;
    });
    let failure: string | null = null;
    child.once('error', (error) => {
      failure = error.message;
      // Without a process there is nothing to close.
      if (child.pid === undefined) onEnd({ code: null, message: failure });
    });
    child.once('close', (code) => {
      if (child.pid === undefined) return;
      const last = lastWords.trim();
      onEnd({ code, message: refusal ?? failure ?? (last === '' ? null : last) });
    });
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** As if it had been sent by whoever sits before it. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

function parse(line: string): object | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Its own program wrote it, in this very release. */
function isEvent(told: object): told is ToldEvent {
  return 'name' in told && typeof told.name === 'string' && 'at' in told;
}

function refusalOf(told: object): string | null {
  if (!('error' in told) || typeof told.error !== 'object' || told.error === null) return null;
  return 'message' in told.error && typeof told.error.message === 'string' ? told.error.message : null;
}
