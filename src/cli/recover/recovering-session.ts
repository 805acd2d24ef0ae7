/** One session as it is brought back: a supervisor of its own, and what that tells. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { SessionFile } from '../../checkpoint/types.ts';
import { NkatError } from '../../errors.ts';
import { PROTOCOL_VERSION } from '../../protocol/messages.ts';
import { askSupervisor } from '../../supervisor/control/ask-supervisor.ts';
import type { SupervisorEvent } from '../../supervisor/events.ts';

/** An event of a supervisor, as its `--json` has it. */
export type ToldEvent = SupervisorEvent & { readonly at: string };

export interface RecoveringOptions {
  readonly file: SessionFile;
  /** The program itself, as it was called. */
  readonly program: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Default: this one. */
  readonly platform?: NodeJS.Platform;
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

/** Above the longest grace of a stop, 15 minutes, and what comes after it. */
const STOP_MS = 20 * 60_000;

/** Last words on stderr that are kept. */
const KEPT_CHARACTERS = 2_000;

export class RecoveringSession {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #file: SessionFile;
  readonly #platform: NodeJS.Platform;

  /**
   * The supervisor has a process group of its own and no pipe that its life depends on: it goes on when we die, as does
   * its worker when it dies itself.
   */
  constructor({ file, program, environment, platform = process.platform, onEvent, onEnd }: RecoveringOptions) {
    this.#file = file;
    this.#platform = platform;
    const noConfig = file.launch?.noConfig === true ? ['--no-config'] : [];
    const child = spawn(process.execPath, [program, 'resume', '--json', ...noConfig, file.id], {
      cwd: file.identity.cwd,
      // As it was started: the variables of whoever recovers are those of a boot.
      env: { ...environment, ...file.launch?.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: platform !== 'win32',
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
    if (this.#platform === 'win32') void this.#stopByChannel(signal);
    else this.#child.kill(signal);
  }

  /** Windows delivers no signals to another process: `kill` would end the supervisor, and nothing would be saved. */
  async #stopByChannel(signal: NodeJS.Signals): Promise<void> {
    const { id: session, token } = this.#file;
    const request = {
      v: PROTOCOL_VERSION,
      type: 'stop',
      request: randomUUID(),
      reason: `${signal} to recover`,
      deadlineMs: STOP_MS,
    } as const;
    const ask = { session, token, request, timeoutMs: STOP_MS, onTheWay: () => undefined };
    const answer = await askSupervisor(ask).catch((error: unknown) => {
      if (error instanceof NkatError) return { kind: 'unreachable' } as const;
      throw error;
    });
    // It listens not yet, or no more, or the session has become another one: there is nobody to ask.
    if (answer.kind === 'unreachable') this.#child.kill(signal);
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
