/**
 * The system's message bus: who is there, and signals of logind. Nothing of it is needed for training, so that whatever is
 * missing or goes wrong is told as "not there", once. Nothing polls.
 */
import { connect, type Socket } from 'node:net';
import { messageOf } from '../errors.ts';
import { type BusMessage, encodeCall, takeMessage } from './dbus-wire.ts';

const DEFAULT_PATH = '/run/dbus/system_bus_socket';
const BUS = 'org.freedesktop.DBus';
/** For the whole of connecting: a bus answers at once, or something is wrong with it. */
const ANSWER_MS = 10_000;

export interface BusListener {
  readonly signal: (message: BusMessage) => void;
  /** The connection is over, not by us. Once. */
  readonly lost: (reason: string) => void;
}

export class SystemBus {
  readonly #socket: Socket;
  readonly #listener: BusListener;
  readonly #replies = new Map<number, (reply: BusMessage | null) => void>();
  #serial = 0;
  #bytes: Buffer = Buffer.alloc(0);
  /** What the handshake, which is lines and not messages, waits for. */
  #greeted: ((isOurs: boolean) => void) | null = null;
  #isClosed = false;
  /** It has been of use: from then on its end is told. */
  #isOpen = false;

  private constructor(socket: Socket, listener: BusListener) {
    this.#socket = socket;
    this.#listener = listener;
    socket.on('data', (part: Buffer) => this.#hear(part));
    socket.on('error', (error) => this.#over(messageOf(error)));
    socket.on('close', () => this.#over('it was closed'));
  }

  /** Null: there is no bus, it does not let us in, or nobody of that name is on it. Never rejects. */
  static async open(
    environment: NodeJS.ProcessEnv,
    name: string,
    rules: readonly string[],
    listener: BusListener,
  ): Promise<SystemBus | null> {
    const path = busPath(environment.DBUS_SYSTEM_BUS_ADDRESS);
    if (path === null) return null;
    const bus = new SystemBus(connect(path), listener);
    const timer = setTimeout(() => bus.#over('no answer'), ANSWER_MS);
    try {
      if (await bus.#begin(name, rules)) return bus;
      bus.close();
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#over('we closed it');
  }

  async #begin(name: string, rules: readonly string[]): Promise<boolean> {
    const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
    const greeted = new Promise<boolean>((resolve) => {
      this.#greeted = resolve;
    });
    this.#write(`\0AUTH EXTERNAL ${uid}\r\n`);
    if (!(await greeted)) return false;
    this.#write('BEGIN\r\n');
    if ((await this.#ask('Hello', null)) === null) return false;
    const owner = await this.#ask('NameHasOwner', name);
    if (owner?.truth !== true) return false;
    for (const rule of rules) if ((await this.#ask('AddMatch', rule)) === null) return false;
    this.#isOpen = true;
    return true;
  }

  /** Null: an error, or the end of the connection. */
  #ask(member: string, argument: string | null): Promise<BusMessage | null> {
    this.#serial += 1;
    const serial = this.#serial;
    return new Promise((resolve) => {
      if (this.#isClosed) return resolve(null);
      this.#replies.set(serial, resolve);
      const path = '/org/freedesktop/DBus';
      this.#write(encodeCall({ serial, path, interface: BUS, member, destination: BUS, argument }));
    });
  }

  #write(bytes: Buffer | string): void {
    if (!this.#isClosed) this.#socket.write(bytes);
  }

  #hear(part: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, part]);
    if (this.#greeted !== null) {
      const end = this.#bytes.indexOf('\r\n');
      if (end < 0) return;
      const isOurs = this.#bytes.toString('latin1', 0, end).startsWith('OK ');
      this.#bytes = this.#bytes.subarray(end + 2);
      this.#greeted(isOurs);
      this.#greeted = null;
    }
    try {
      for (let taken = takeMessage(this.#bytes); taken !== null; taken = takeMessage(this.#bytes)) {
        this.#bytes = taken.rest;
        this.#take(taken.message);
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.#over(error.message);
    }
  }

  #take(message: BusMessage): void {
    if (message.kind === 'signal') {
      if (this.#isOpen) this.#listener.signal(message);
      return;
    }
    const { replySerial } = message;
    if (replySerial === null) return;
    this.#replies.get(replySerial)?.(message.kind === 'reply' ? message : null);
    this.#replies.delete(replySerial);
  }

  #over(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    this.#greeted?.(false);
    for (const resolve of this.#replies.values()) resolve(null);
    this.#replies.clear();
    if (this.#isOpen) this.#listener.lost(reason);
  }
}

/** Null: an address that is no path of a socket. @param address as the environment has it: `unix:path=/run/...;...` */
export function busPath(address: string | undefined): string | null {
  if (address === undefined || address === '') return DEFAULT_PATH;
  for (const one of address.split(';')) {
    const path = /^unix:(?:.*,)?path=([^,]+)/.exec(one)?.[1];
    // A `%` that is none of the address's own escapes names no socket.
    if (path !== undefined) return /%(?![\da-f]{2})/i.test(path) ? null : decodeURIComponent(path);
  }
  return null;
}
