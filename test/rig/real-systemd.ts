/**
 * The real systemd as the first process of a machine of its own: namespaces for processes, mounts, cgroups and the host's name,
 * another boot id, and a disk that can be read only, but for the test's folder. It knows no units but those that it is given
 * here: Debian's own would set up a machine, and the disk is not theirs.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { socketPath } from '../../src/protocol/socket-path.ts';
import { runProgram } from '../../src/run-program.ts';
import { signalPid } from './run.ts';
import { atTestEnd } from './test-end.ts';
import { waitFor } from './wait-for.ts';
import { wherePossible } from './where-possible.ts';

const SYSTEMD = '/lib/systemd/systemd';
const UNITS = '/etc/systemd/system';
/** Nobody leaves a machine behind for longer, whatever becomes of the test. */
const LONGEST_S = 600;

/** Arguments: the test's folder, the folder of our sockets. */
const BECOME_SYSTEMD = `set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind "$2" "$2"
mount -o remount,ro,bind /
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,ro,bind /proc/sys
mount --bind "$1/boot-id" /proc/sys/kernel/random/boot_id
umount -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd /run/lock
mount --bind "$1/units" ${UNITS}
export container=nkat-test SYSTEMD_UNIT_PATH=${UNITS} SYSTEMD_GENERATOR_PATH=/nowhere
exec ${SYSTEMD} --system --log-target=null --show-status=no --default-standard-output=null </dev/null >/dev/null 2>&1`;

export class RealSystemd {
  /** Of its units, as it sees them in /etc/systemd/system. Stays from boot to boot. */
  readonly units: string;
  readonly #directory: string;
  readonly #group: string;
  #machine: ChildProcess | null = null;
  #init = 0;

  /** @param directory of the test, the only one that can be written to */
  constructor(directory: string) {
    this.#directory = directory;
    this.units = join(directory, 'units');
    this.#group = join(ownCgroup() ?? '', `nkat-${basename(directory)}`);
    mkdirSync(this.units, { recursive: true });
    for (const name of ['default', 'sysinit', 'basic', 'multi-user', 'shutdown']) {
      const follows = name === 'default' ? 'Requires=multi-user.target\nAfter=multi-user.target\n' : '';
      writeFileSync(join(this.units, `${name}.target`), `[Unit]\nDescription=${name}\n${follows}`);
    }
    atTestEnd(() => this.cut());
  }

  /** Another boot than any before. Resolves when its first process can be asked. */
  async boot(): Promise<void> {
    writeFileSync(join(this.#directory, 'boot-id'), `${randomUUID()}\n`);
    mkdirSync(this.#group);
    const sockets = dirname(socketPath('any'));
    mkdirSync(sockets, { recursive: true, mode: 0o700 });
    const enter = `echo $$ >"${this.#group}/cgroup.procs" && exec "$@"`;
    const unshare = ['unshare', '--pid', '--mount', '--cgroup', '--uts', '--fork', '--kill-child=SIGKILL'];
    const become = ['sh', '-c', BECOME_SYSTEMD, 'become-systemd', this.#directory, sockets];
    // In a group of its own: nobody's Ctrl-C is for it.
    const bounded = ['timeout', '-s', 'KILL', String(LONGEST_S), ...unshare, ...become];
    const machine = spawn('sh', ['-c', enter, 'enter', ...bounded], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    this.#machine = machine;
    let said = '';
    machine.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await waitFor(
      () => `the first process of a machine: ${said}`,
      () => {
        this.#init = childOf(childOf(machine.pid ?? 0));
        return this.#init > 0 && commandOf(this.#init).startsWith(SYSTEMD);
      },
    );
    await waitFor(
      'systemd',
      () => spawnSync(this.inside[0] ?? '', [...this.inside.slice(1), 'systemctl', 'is-system-running']).status === 0,
    );
  }

  /** Words before a command that is to run in it. */
  get inside(): readonly string[] {
    return ['nsenter', '-t', String(this.#init), '-m', '-p', '-C', '-u'];
  }

  /** @throws where systemctl fails */
  async systemctl(...words: readonly string[]): Promise<string> {
    const { failure, stdout, stderr } = await runProgram([...this.inside, 'systemctl', ...words], process.env, 60_000);
    if (failure !== null) throw new Error(`systemctl ${words.join(' ')}: ${stderr || failure.message}`);
    return stdout;
  }

  /** Properties of a unit. */
  async show(unit: string): Promise<Readonly<Record<string, string>>> {
    const lines = (await this.systemctl('show', unit)).split('\n');
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  }

  /** A process of it, by its number in it. */
  async kill(pid: string | undefined): Promise<void> {
    if (!(Number(pid) > 1)) throw new Error(`no process: ${pid}`);
    await runProgram([...this.inside, 'kill', '-KILL', String(pid)], process.env, 60_000);
  }

  /** Its power is cut: no process of it is left, and nothing of it in the machine that it ran in. */
  async cut(): Promise<void> {
    const machine = this.#machine;
    this.#machine = null;
    if (machine === null) return;
    const ended =
      machine.exitCode !== null || machine.signalCode !== null
        ? null
        : new Promise((resolve) => machine.once('exit', resolve));
    if (this.#init > 0) signalPid(this.#init, 'SIGKILL');
    else if (machine.pid !== undefined) signalPid(machine.pid, 'SIGKILL');
    await ended;
    this.#init = 0;
    await waitFor('the end of all of it', () => isRemoved(this.#group));
  }
}

/** A group is removed from its leaves; false as long as a process is in it. */
function isRemoved(group: string): boolean {
  if (!existsSync(group)) return true;
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory() && !isRemoved(join(group, entry.name))) return false;
  }
  try {
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}

function childOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] || 0);
  } catch {
    return 0;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Where our own group of cgroup v2 lies; null: there is none. */
function ownCgroup(): string | null {
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const place = mounted.find((line) => / - cgroup2 /.test(line))?.split(' ')[4];
  const own = readFileSync('/proc/self/cgroup', 'utf8').match(/^0::(.*)$/m)?.[1];
  return place === undefined || own === undefined ? null : join(place, own);
}

function whyNoSystemd(): string | null {
  if (process.platform !== 'linux') return 'systemd is of Linux';
  if (!existsSync(SYSTEMD)) return 'systemd is not installed';
  const group = ownCgroup();
  if (group === null) return 'there is no cgroup v2';
  const probe = join(group, `nkat-probe-${process.pid}`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
  } catch (error) {
    return `no cgroup can be made: ${String(error)}`;
  }
  const tried = spawnSync('unshare', [
    '--pid',
    '--mount',
    '--cgroup',
    '--uts',
    '--fork',
    'mount',
    '-t',
    'proc',
    'proc',
    '/proc',
  ]);
  return tried.status === 0 ? null : `no namespaces can be made: ${String(tried.stderr ?? tried.error).trim()}`;
}

/** Declares a test where systemd can be run. Elsewhere it is skipped and says why, or fails where NKAT_REQUIRE_SYSTEMD=1. */
export function whereSystemdCanRun(name: string, declare: () => void): void {
  const broken = 'this machine must be able to run a systemd, and is not';
  wherePossible(name, { why: whyNoSystemd(), promise: 'NKAT_REQUIRE_SYSTEMD', broken }, declare);
}
