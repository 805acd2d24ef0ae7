/** A real NUT server of a test's own: upsd and its dummy driver, with folders and a port of their own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitFor } from './wait-for.ts';

const DRIVER = '/lib/nut/dummy-ups';
/** Not the one on the path: that is Debian's wrapper, which starts only what the machine's own configuration allows. */
const SERVER = '/lib/nut/upsd';

export class NutServer {
  readonly port: number;
  readonly #directory: string;
  #driver: ChildProcess | null = null;
  #server: ChildProcess | null = null;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.port = port;
  }

  static async start(status: string): Promise<NutServer> {
    // Removed by `close`, so that such tests can run beside one another.
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'nkat-nut-')));
    const nut = new NutServer(directory, await freePort());
    const write = (name: string, text: string): void => {
      writeFileSync(join(directory, name), text, { mode: 0o600 });
    };
    mkdirSync(join(directory, 'state'), { mode: 0o700 });
    write('ups.conf', '[test]\n  driver = dummy-ups\n  port = test.dev\n  mode = dummy-loop\n');
    write('upsd.conf', `LISTEN 127.0.0.1 ${nut.port}\nMAXAGE 15\n`);
    write('upsd.users', '');
    nut.set(status);
    nut.#driver = nut.#spawn(DRIVER, ['-F', '-a', 'test', '-u', 'root']);
    try {
      await nut.startServer();
    } catch (error) {
      await nut.close();
      throw error;
    }
    return nut;
  }

  /** What the UPS is to say from now on; the driver reads it again every few seconds. */
  set(status: string): void {
    const path = join(this.#directory, 'test.dev');
    writeFileSync(`${path}.new`, `ups.status: ${status}\nTIMER 1\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  async startServer(): Promise<void> {
    this.#server = this.#spawn(SERVER, ['-F', '-u', 'root']);
    const question = [`test@127.0.0.1:${this.port}`, 'ups.status'];
    await waitFor('upsd to answer', () => {
      const { status, stdout } = spawnSync('/usr/bin/upsc', question, { encoding: 'utf8', timeout: 5_000 });
      // WAIT: it has not heard of its driver yet, and a supervisor would be told that the UPS is unknown.
      return status === 0 && stdout.trim() !== 'WAIT';
    });
  }

  /** upsd is gone; the UPS and its driver are not. */
  async stopServer(): Promise<void> {
    await ended(this.#server);
    this.#server = null;
  }

  async close(): Promise<void> {
    await this.stopServer();
    await ended(this.#driver);
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #spawn(program: string, args: readonly string[]): ChildProcess {
    const state = join(this.#directory, 'state');
    const env = {
      PATH: process.env.PATH,
      NUT_CONFPATH: this.#directory,
      NUT_STATEPATH: state,
      NUT_ALTPIDPATH: state,
      NUT_PIDPATH: state,
    };
    return spawn(program, [...args], { env, stdio: 'ignore' });
  }
}

async function ended(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await end;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Null: it is installed. Else why not. */
export function whyNoNut(): string | null {
  if (process.getuid?.() !== 0) return 'its driver runs as root here';
  const missing = [DRIVER, SERVER, '/usr/bin/upsc'].filter((path) => spawnSync(path, ['-V']).error !== undefined);
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')}`;
}
