/** A real bus of a test's own, and on it what logind says and grants; its locks are held by the real systemd-inhibit. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { atTestEnd } from './test-end.ts';
import { waitFor } from './wait-for.ts';
import { wherePossible } from './where-possible.ts';

const SCRIPT = fileURLToPath(new URL('fake-logind.py', import.meta.url));
const DOCTYPE =
  '<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">';
const EVERYTHING = '<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/>';

export interface LogindSaid {
  readonly what: 'ready' | 'held' | 'released';
  /** What, who, why, mode. */
  readonly lock?: readonly string[];
  /** Seconds since 1970. */
  readonly at?: number;
}

export class FakeLogind {
  readonly environment: NodeJS.ProcessEnv;
  readonly said: LogindSaid[] = [];
  readonly #bus: ChildProcess;
  #logind: ChildProcess | null = null;

  private constructor(bus: ChildProcess, address: string) {
    this.#bus = bus;
    this.environment = { DBUS_SYSTEM_BUS_ADDRESS: address };
  }

  /** A bus with nobody on it. @param directory of the test */
  static async startBus(directory: string): Promise<FakeLogind> {
    const address = `unix:path=${join(directory, 'bus')}`;
    const file = join(directory, 'bus.conf');
    const policy = `<policy context="default">${EVERYTHING}</policy>`;
    writeFileSync(file, `${DOCTYPE}<busconfig><type>system</type><listen>${address}</listen>${policy}</busconfig>`);
    const words = [`--config-file=${file}`, '--nofork', '--nopidfile', '--print-address'];
    const bus = spawn('dbus-daemon', words, { stdio: ['ignore', 'pipe', 'ignore'] });
    const fake = new FakeLogind(bus, address);
    // Also when the test runs out of its time, or what follows here fails.
    atTestEnd(() => fake.close());
    let said = '';
    bus.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await waitFor('the bus', () => said.includes('\n'));
    return fake;
  }

  static async start(directory: string, ...words: readonly 'refuse'[]): Promise<FakeLogind> {
    const fake = await FakeLogind.startBus(directory);
    const logind = spawn('python3', [SCRIPT, ...words], {
      env: { ...process.env, ...fake.environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    fake.#logind = logind;
    createInterface({ input: logind.stdout }).on('line', (line) => fake.said.push(JSON.parse(line) as LogindSaid));
    await fake.until('ready');
    return fake;
  }

  announce(member: 'PrepareForSleep' | 'PrepareForShutdown', begins: boolean): void {
    this.#logind?.stdin?.write(`${member} ${begins}\n`);
  }

  /** The n-th (from 1) of these that was said. */
  async until(what: LogindSaid['what'], nth = 1): Promise<LogindSaid> {
    const found = (): LogindSaid | undefined => this.said.filter((one) => one.what === what)[nth - 1];
    await waitFor(
      () => `${what}, number ${nth}: ${JSON.stringify(this.said)}`,
      () => found() !== undefined,
    );
    return found() as LogindSaid;
  }

  async close(): Promise<void> {
    for (const child of [this.#logind, this.#bus]) {
      if (child === null || child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
  }
}

function whyNoLogind(): string | null {
  for (const program of ['dbus-daemon', 'systemd-inhibit']) {
    if (spawnSync(program, ['--version']).status !== 0) return `${program} is not installed`;
  }
  const library = spawnSync('python3', ['-c', 'import ctypes; ctypes.CDLL("libsystemd.so.0")']);
  return library.status === 0 ? null : 'libsystemd is not installed';
}

/** Declares a test where there are the parts. Elsewhere it is skipped and says why, or fails where NKAT_REQUIRE_LOGIND=1. */
export function whereLogindCanBe(name: string, declare: () => void): void {
  const broken = 'this machine must have what logind needs, and does not';
  wherePossible(name, { why: whyNoLogind(), promise: 'NKAT_REQUIRE_LOGIND', broken }, declare);
}
