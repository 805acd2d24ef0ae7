/**
 * A machine that can lose its power: a disk of its own (a file system in a file over a loop device), processes in a pid
 * namespace of their own, another boot id at every boot. A cut shuts the file system down in the kernel (what was not
 * written by then never is), ends all processes at once by ending the first, and unmounts.
 *
 * Mounts lie in a mount namespace of its own that lives as long as one process, which dies with us: whatever ends the
 * test, no mount, loop device or process remains.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backingFiles } from '../rig/loop-devices.ts';
import { Run, signalPid } from '../rig/run.ts';
import { waitFor } from '../rig/wait-for.ts';

export type FileSystem = 'ext4' | 'xfs';

/** XFS refuses less; the file is sparse. */
const IMAGE_BYTES = 320 * 1024 * 1024;
/** A rename that was not synced must not become durable by the five seconds of ext4's own commit. */
const MOUNT_OPTIONS: Readonly<Record<FileSystem, string>> = { ext4: 'loop,commit=300', xfs: 'loop' };

/** The first process of a boot. `$1` the boot id, `$2` a folder for sockets; then the command. */
const BOOT = `
mount --bind "$1" /proc/sys/kernel/random/boot_id || exit 199
mount --bind "$2" "/tmp/nkat-$(id -u)" || exit 199
shift 2
"$@" &
wait $!
`;

export class Machine {
  readonly #folder: string;
  readonly #image: string;
  readonly #fileSystem: FileSystem;
  readonly #holder: ChildProcess;
  #switch: PowerSwitch | null = null;
  #running: Run[] = [];
  #boots = 0;

  private constructor(folder: string, fileSystem: FileSystem, holder: ChildProcess) {
    this.#folder = folder;
    this.#image = join(folder, 'image');
    this.#fileSystem = fileSystem;
    this.#holder = holder;
  }

  /** Makes the disk and mounts it. The folder is the machine's alone; {@link close} leaves it without it. */
  static async make(folder: string, fileSystem: FileSystem): Promise<Machine> {
    const image = join(folder, 'image');
    for (const name of ['disk', 'work', 'sockets']) mkdirSync(join(folder, name), { mode: 0o700 });
    const descriptor = openSync(image, 'w');
    ftruncateSync(descriptor, IMAGE_BYTES);
    closeSync(descriptor);
    execFileSync(`mkfs.${fileSystem}`, ['-q', image]);
    // What the kernel puts in our place must exist.
    mkdirSync(`/tmp/nkat-${process.getuid?.()}`, { recursive: true, mode: 0o700 });
    const holder = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'echo up; exec cat'],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const machine = new Machine(folder, fileSystem, holder);
    await new Promise<void>((resolve, reject) => {
      holder.stdout?.once('data', () => resolve());
      holder.once('exit', (code) => reject(new Error(`no mount namespace is to be had (unshare ended with ${code})`)));
    });
    machine.mount();
    return machine;
  }

  /** The mount point, as the processes of the machine name it. */
  get disk(): string {
    return join(this.#folder, 'disk');
  }

  /** A folder off that disk, the same before and after a cut. */
  get work(): string {
    return join(this.#folder, 'work');
  }

  /** How the world outside reaches a path of the machine. */
  seen(path: string): string {
    return `/proc/${this.#holder.pid}/root${path}`;
  }

  mount(): void {
    this.#inside('mount', ['-o', MOUNT_OPTIONS[this.#fileSystem], this.#image, this.disk]);
    this.#switch = new PowerSwitch(this.#entering(), this.disk);
  }

  /** Starts a command as a boot of its own. It ends with the command, and everything else in it ends then. */
  start(command: readonly string[], environment: NodeJS.ProcessEnv): Run {
    const bootId = join(this.#folder, `boot-${this.#boots++}`);
    writeFileSync(bootId, `${randomUUID()}\n`);
    const sockets = join(this.#folder, 'sockets');
    rmSync(sockets, { recursive: true });
    mkdirSync(sockets, { mode: 0o700 });
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const run = new Run(
      [...this.#entering(), 'unshare', ...namespaces, 'sh', '-c', BOOT, 'boot', bootId, sockets, ...command],
      this.work,
      environment,
      'setpriv',
    );
    this.#running.push(run);
    return run;
  }

  /**
   * Cuts the power. `flush`: the file system's log is written first, as if the cut had come a moment later. Resolves when
   * nothing of the boot is left and the disk is unmounted.
   */
  async cut(flush: boolean): Promise<void> {
    await this.turnOff(flush);
    await this.halt();
  }

  /** The disk takes nothing more; whoever has it open keeps it mounted until {@link halt}. */
  async turnOff(flush: boolean): Promise<void> {
    await this.#switch?.turnOff(flush);
  }

  /** Ends what runs and unmounts: orderly, after the command ended, or what a cut left. */
  async halt(): Promise<void> {
    await this.#endAll();
    await this.#unmount();
  }

  async close(): Promise<void> {
    await this.#endAll();
    this.#holder.stdin?.end();
    this.#holder.kill('SIGKILL');
    await new Promise<void>((resolve) => {
      if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) resolve();
      else this.#holder.once('exit', () => resolve());
    });
    await waitFor('the loop device to be free', () => !this.#isAttached());
  }

  /** Ends the first process of each boot; the kernel ends the rest with it, and only then reports its end. */
  async #endAll(): Promise<void> {
    for (const run of this.#running) {
      const hasEnded = (): boolean => run.child.exitCode !== null || run.child.signalCode !== null;
      // As long as it has not ended, its pid is its own; in its first moments it has no child yet.
      const first = await waitFor('the first process of the boot', () => hasEnded() || firstChild(run.pid));
      if (first !== true) signalPid(first, 'SIGKILL');
      await run.exited;
    }
    this.#running = [];
    await this.#switch?.release();
    this.#switch = null;
  }

  async #unmount(): Promise<void> {
    this.#inside('umount', [this.disk]);
    // The same file over a second device would show what the first one had not written back.
    await waitFor('the loop device to be free', () => !this.#isAttached());
  }

  #isAttached(): boolean {
    return backingFiles().includes(this.#image);
  }

  #entering(): string[] {
    return ['--pdeathsig', 'KILL', 'nsenter', `--mount=/proc/${this.#holder.pid}/ns/mnt`, '--'];
  }

  #inside(program: string, args: readonly string[]): void {
    execFileSync('setpriv', [...this.#entering(), program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** xfs_io with the disk open: the cut is one line to a process that waits for it. */
class PowerSwitch {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #words = '';

  constructor(entering: readonly string[], disk: string) {
    this.#child = spawn('setpriv', [...entering, 'xfs_io', '-x', disk], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#words += text.toString();
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  async turnOff(flush: boolean): Promise<void> {
    this.#child.stdin?.end(`shutdown${flush ? ' -f' : ''}\nquit\n`);
    await this.#ended;
    if (this.#words !== '') throw new Error(`the file system could not be shut down: ${this.#words}`);
  }

  async release(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

/** Null: it has none (any more). */
function firstChild(pid: number): number | null {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return first ? Number(first) : null;
  } catch {
    return null;
  }
}
