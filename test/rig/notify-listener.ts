/** What a service tells its systemd, heard on a real socket. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('notify-listener.py', import.meta.url));

export class NotifyListener {
  readonly socket: string;
  /** All words, in the order in which they came. */
  readonly heard: string[] = [];
  readonly #child: ChildProcess;
  readonly #listening: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(directory: string) {
    this.socket = join(directory, 'notify.socket');
    const child = spawn('python3', [SCRIPT, this.socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    let listening: () => void = () => undefined;
    this.#listening = new Promise((resolve) => {
      listening = resolve;
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.heard.push(...(JSON.parse(line) as string[]));
      listening();
      this.#wake();
    });
  }

  get listening(): Promise<void> {
    return this.#listening;
  }

  /** The first word that begins like this. */
  async word(beginning: string): Promise<string> {
    for (;;) {
      const found = this.heard.find((word) => word.startsWith(beginning));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
    else return;
    await ended;
  }
}
