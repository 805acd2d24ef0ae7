/** The director of fake nvidia-smi programs: gives each its scene, changes it while they run, and knows which of them live. */
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type SmiCommand, smiCommand } from '../../src/gpu/smi-command.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import { atTestEnd } from './test-end.ts';

const PROGRAM = join(import.meta.dirname, '../../fixtures/fake-nvidia-smi/nvidia-smi.mjs');

export interface FakeCard {
  readonly model: string;
  readonly uuid?: string;
  readonly busId?: string;
  /** Texts of fields, over those of the model. */
  readonly values?: Readonly<Record<string, string>>;
  /** Points [second, value], from the moment when the scene was set. */
  readonly curve?: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  /** Stands in every field but the index. */
  readonly gone?: string;
  readonly missing?: boolean;
  readonly processes?: readonly {
    readonly pid: number;
    readonly name: string;
    readonly mib?: number;
    readonly type?: string;
  }[];
}

export interface Scene {
  readonly cards: readonly FakeCard[];
  readonly driver?: string;
  /** Names of fields that this driver does not know. */
  readonly lacks?: readonly string[];
  readonly noHelp?: boolean;
  /** The list of fields names some that are refused then. */
  readonly helpLies?: boolean;
  readonly startDelayMs?: number;
  readonly hang?: boolean;
  readonly silent?: boolean;
  /** Stands in place of each row. */
  readonly garbage?: string;
  readonly exit?: { readonly code: number; readonly text?: string; readonly stream?: 'stdout' | 'stderr' };
}

interface Actor {
  readonly pid: number;
  readonly args: readonly string[];
  readonly socket: Socket;
}

export class FakeSmi {
  /** Every program that was started, in order. */
  readonly calls: { readonly pid: number; readonly args: readonly string[] }[] = [];
  readonly command: SmiCommand;
  readonly environment: Readonly<Record<string, string>>;
  #scene: Scene;
  readonly #server: Server;
  readonly #actors = new Set<Actor>();

  private constructor(scene: Scene, server: Server, path: string) {
    this.#scene = scene;
    this.#server = server;
    this.environment = { NKAT_NVIDIA_SMI: PROGRAM, FAKE_SMI_SOCKET: path };
    this.command = smiCommand({ ...process.env, ...this.environment });
    server.on('connection', (socket) => this.#meet(socket.setEncoding('utf8')));
  }

  static async start(scene: Scene): Promise<FakeSmi> {
    const path = join(temporaryDirectory(), 'smi.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const fake = new FakeSmi(scene, server, path);
    atTestEnd(() => fake.#close());
    return fake;
  }

  /** Programs that still run and print rows. */
  get watching(): readonly number[] {
    return [...this.#actors].filter(({ args }) => args.includes('-lms')).map(({ pid }) => pid);
  }

  /** Programs that still run, whatever they were asked. */
  get living(): number {
    return this.#actors.size;
  }

  set(scene: Scene): void {
    this.#scene = scene;
    this.#tell({ scene });
  }

  /** Text to stdout of those that print rows, as it is. */
  say(text: string): void {
    this.#tell({ say: text });
  }

  #tell(message: object): void {
    for (const { args, socket } of this.#actors)
      if (args.includes('-lms')) socket.write(`${JSON.stringify(message)}\n`);
  }

  #meet(socket: Socket): void {
    let held = '';
    let actor: Actor | null = null;
    socket.on('data', (part: string) => {
      held += part;
      const end = held.indexOf('\n');
      if (end < 0 || actor !== null) return;
      const { pid, args } = JSON.parse(held.slice(0, end)) as { pid: number; args: string[] };
      actor = { pid, args, socket };
      this.#actors.add(actor);
      this.calls.push({ pid, args });
      socket.write(`${JSON.stringify({ scene: this.#scene })}\n`);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (actor !== null) this.#actors.delete(actor);
    });
  }

  #close(): Promise<void> {
    // A stopped program notices nothing: it is woken and then finds its director gone.
    for (const { pid, socket } of this.#actors) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
      socket.destroy();
    }
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
