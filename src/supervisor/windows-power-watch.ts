/**
 * Hears from Windows that the machine is about to sleep, and that it is awake again, while a session is supervised: the worker
 * saves. Nothing holds the machine up there; what was not saved in time goes on when it is awake.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { BoundedLines } from '../bounded-lines.ts';
import { errnoOf, messageOf } from '../errors.ts';
import { AWAKE, judgeLogind, type LogindAction } from '../power/logind-policy.ts';
import { afterPowerShell, powerScript, powerShellWords, readPowerLine } from '../power/windows-power.ts';
import type { MachineEars } from './machine-ears.ts';

/** Part of every Windows since 7; newer ones that were installed beside it lack nothing that it has. */
const POWERSHELL = 'powershell.exe';
const MAX_LINE = 4_096;
/** Last words of a PowerShell that failed. */
const KEPT_LINES = 3;

export class WindowsPowerWatch {
  readonly #options: MachineEars;
  #state = AWAKE;
  #child: ChildProcess | null = null;
  #failures = 0;
  #isLossTold = false;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: MachineEars) {
    this.#options = options;
    this.#start();
  }

  /** Nothing is heard any more, and no process of ours is left. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL');
    this.#child = null;
  }

  #start(): void {
    const words = powerShellWords(powerScript(process.pid));
    const child = spawn(POWERSHELL, words, {
      env: this.#options.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    this.#child = child;
    // Nobody stays for it.
    child.unref();
    let listensSinceMs: number | null = null;
    let said: string[] = [];
    const hear = (stream: NodeJS.ReadableStream, take: (line: string) => void): void => {
      const lines = new BoundedLines(MAX_LINE);
      stream.on('data', (chunk: Buffer) => lines.push(chunk).forEach(take));
    };
    hear(child.stdout, (line) => {
      const told = this.#isClosed ? null : readPowerLine(line);
      if (told?.kind === 'sleep') this.#sleep(told.begins);
      if (told?.kind !== 'listening') return;
      listensSinceMs = this.#options.nowMs();
      this.#heard();
    });
    hear(child.stderr, (line) => {
      if (line.trim() !== '') said = [...said.slice(1 - KEPT_LINES), line.trim()];
    });
    let isOver = false;
    const over = (why: string, isMissing: boolean): void => {
      if (isOver) return;
      isOver = true;
      const listenedMs = listensSinceMs === null ? null : this.#options.nowMs() - listensSinceMs;
      this.#lost(said.join(' ') || why, isMissing, listenedMs);
    };
    child.once('error', (error) => over(messageOf(error), errnoOf(error) === 'ENOENT'));
    child.once('close', (code, signal) => over(`${POWERSHELL} ended with ${signal ?? code}`, false));
  }

  #lost(why: string, isMissing: boolean, listenedMs: number | null): void {
    if (this.#isClosed) return;
    const { failures, restMs } = afterPowerShell({ failures: this.#failures, listenedMs, isMissing });
    this.#failures = failures;
    if (!this.#isLossTold) {
      const message = `nothing is heard of Windows' power events (${why}): before the machine sleeps nothing is saved`;
      this.#options.tell({ name: 'notice', level: 'warning', message });
    }
    this.#isLossTold = true;
    if (restMs !== null) this.#timer = setTimeout(() => this.#start(), restMs).unref();
  }

  #heard(): void {
    // A sleep that was announced to the one before it is over.
    this.#state = AWAKE;
    if (!this.#isLossTold) return;
    this.#isLossTold = false;
    this.#options.tell({ name: 'notice', level: 'info', message: "Windows' power events are heard again" });
  }

  #sleep(begins: boolean): void {
    const nowMs = this.#options.nowMs();
    const { state, actions } = judgeLogind(this.#state, { type: 'announced', going: 'sleep', begins, nowMs });
    this.#state = state;
    for (const action of actions) this.#act(action);
  }

  /** There is no lock to be held or let go of. */
  #act(action: LogindAction): void {
    const { tell, save, onWoke } = this.#options;
    if (action.type === 'tell-going') tell({ name: 'machine-going', going: action.going });
    else if (action.type === 'save') save(action.going);
    else if (action.type === 'woke') {
      onWoke(action.forMs);
      tell({ name: 'machine-woke' });
    }
  }
}
