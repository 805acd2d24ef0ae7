/**
 * The way to the supervisor. It outlives supervisors: once welcomed, a worker trains on without one and tries to
 * reach the next for ever; before that, a channel that closes or cannot be reached ends the worker.
 */
import { connectTo } from '../../protocol/connect.ts';
import type { WorkerConnection } from '../../protocol/connection.ts';
import type { MessageOf, SupervisorMessage, WorkerMessage } from '../../protocol/messages.ts';

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 2_000;
/** How long a worker that was never welcomed looks for its supervisor. */
const UNREACHABLE_MS = 10_000;
/** Messages kept for the next supervisor; it also finds every checkpoint in the store. */
const MAX_KEPT = 256;

export interface ChannelOwner {
  hello(welcomed: boolean): MessageOf<WorkerMessage, 'hello'>;
  /** Every message of the supervisor, `welcome` included; `first` on the first welcome of this process. */
  receive(message: SupervisorMessage): void;
  /** Welcomed before, and now the connection is gone or cannot be made. */
  alone(): void;
  /** Never welcomed, and no supervisor is left to do it. */
  abandoned(why: string): void;
}

export class Channel {
  readonly #path: string;
  readonly #owner: ChannelOwner;
  readonly #startedAt = performance.now();
  #connection: WorkerConnection | null = null;
  /** Welcomed on the present connection; before that nothing but `hello` is sent. */
  #open = false;
  #everWelcomed: boolean;
  #delayMs = FIRST_DELAY_MS;
  #kept: WorkerMessage[] = [];

  constructor(path: string, everWelcomed: boolean, owner: ChannelOwner) {
    this.#path = path;
    this.#everWelcomed = everWelcomed;
    this.#owner = owner;
  }

  async connect(): Promise<void> {
    let connection: WorkerConnection;
    try {
      connection = await connectTo(this.#path);
    } catch (error) {
      this.#unreachable(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#delayMs = FIRST_DELAY_MS;
    this.#connection = connection;
    connection.onMessage((message) => this.#receive(connection, message));
    connection.onClose(() => this.#closed(connection));
    connection.send(this.#owner.hello(this.#everWelcomed));
  }

  /** Sends now, or keeps it for the next supervisor. */
  send(message: WorkerMessage): void {
    if (this.#open && this.#connection?.send(message) === 'sent') return;
    if (this.#kept.length === MAX_KEPT) this.#kept.shift();
    this.#kept.push(message);
  }

  /** Sends now or never: what is only true at this moment. */
  sendNow(message: WorkerMessage): void {
    if (this.#open) this.#connection?.send(message);
  }

  #receive(connection: WorkerConnection, message: SupervisorMessage): void {
    if (connection !== this.#connection) return;
    this.#owner.receive(message);
    if (message.type !== 'welcome') return;
    this.#everWelcomed = true;
    this.#open = true;
    const kept = this.#kept;
    this.#kept = [];
    for (const waiting of kept) this.send(waiting);
  }

  #closed(connection: WorkerConnection): void {
    if (connection !== this.#connection) return;
    this.#connection = null;
    this.#open = false;
    if (this.#everWelcomed) {
      this.#owner.alone();
      this.#retry();
    } else this.#owner.abandoned('the supervisor closed the channel before it welcomed this worker');
  }

  #unreachable(why: string): void {
    if (this.#everWelcomed || performance.now() - this.#startedAt < UNREACHABLE_MS) this.#retry();
    else this.#owner.abandoned(`the supervisor cannot be reached: ${why}`);
  }

  #retry(): void {
    setTimeout(() => void this.connect(), this.#delayMs);
    this.#delayMs = Math.min(MAX_DELAY_MS, this.#delayMs * 2);
  }
}
