/**
 * A delay lock of logind: a shutdown or a sleep waits until it is let go of, though never longer than the machine allows
 * (`InhibitDelayMaxSec`). Node cannot be given the descriptor that is the lock, so systemd's own program holds it, around a
 * `cat` that ends with our end of its input: with us, however we die.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { messageOf } from '../errors.ts';

/** How long the end of the holder is waited for; then it is killed. */
const END_MS = 5_000;
const MOST_WORDS = 2_000;

export interface DelayLockOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Shown by `systemd-inhibit --list`. */
  readonly why: string;
  /** It could not be had, or is no more. Once for each lock; never after {@link DelayLock.release}. */
  readonly onProblem: (message: string) => void;
}

export class DelayLock {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #isReleased = false;

  constructor({ environment, why, onProblem }: DelayLockOptions) {
    const words = ['--what=shutdown:sleep', '--mode=delay', '--who=nkat-recover', `--why=${why}`, 'cat'];
    // In a session of its own: a Ctrl-C is for us, and the lock is needed for the save that follows.
    const child = spawn('systemd-inhibit', words, {
      env: environment,
      stdio: ['pipe', 'ignore', 'pipe'],
      detached: true,
    });
    this.#child = child;
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, MOST_WORDS);
    });
    // It may be over before we let go.
    child.stdin?.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      const over = (why: string): void => {
        if (!this.#isReleased) onProblem(said.trim() || why);
        this.#isReleased = true;
        resolve();
      };
      child.once('error', (error) => over(messageOf(error)));
      child.once('close', (code, signal) => over(`systemd-inhibit ended with ${signal ?? code}`));
    });
  }

  /** Resolves when nobody holds it any more. Bounded; later calls wait as well. */
  async release(): Promise<void> {
    this.#isReleased = true;
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}
