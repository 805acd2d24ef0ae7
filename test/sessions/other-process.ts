import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

const BUILT = pathToFileURL(join(import.meta.dirname, '../../dist/sessions/open.js')).href;

/** A process of its own that has the database open as `database`; ends with the test. */
export function otherProcess(path: string, script: string): ChildProcess {
  const source = `
    import { openSessions } from ${JSON.stringify(BUILT)};
    const { database } = openSessions(${JSON.stringify(path)});
    ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return child;
}

/** One that runs a piece of code, which may use `database`, whenever it is told to. */
export class ObedientProcess {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(path: string) {
    this.#child = otherProcess(
      path,
      `
      import { createInterface } from 'node:readline';
      console.log('ready');
      for await (const line of createInterface({ input: process.stdin })) {
        const value = await new Function('database', 'return (async () => (' + line + '))()')(database);
        console.log(JSON.stringify(value) ?? 'null');
      }
      database.close();`,
    );
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('no stdout');
    this.#answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** @throws with its signal when it died of it */
  async ready(): Promise<this> {
    await this.#answer();
    return this;
  }

  async run(expression: string): Promise<unknown> {
    this.#child.stdin?.write(`${expression.replaceAll('\n', ' ')}\n`);
    return JSON.parse(await this.#answer());
  }

  /** Lets it close the database and end. */
  async end(): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    const [code, signal] = await exited;
    return { code, signal };
  }

  async #answer(): Promise<string> {
    const { done, value } = await this.#answers.next();
    if (done !== true) return value;
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    throw new Error(`it ended: code ${this.#child.exitCode}, signal ${this.#child.signalCode}`);
  }
}
