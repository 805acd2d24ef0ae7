/** The supervisor's end of the channel: who may speak on it, who is the worker, and whose answer goes where. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { ChannelProblem, SendOutcome, SupervisorConnection } from '../protocol/connection.ts';
import { type Listener, listen } from '../protocol/listen.ts';
import { type MessageOf, PROTOCOL_VERSION, type SupervisorMessage, type WorkerMessage } from '../protocol/messages.ts';
import { ensureSocketDirectory, socketPath } from '../protocol/socket-path.ts';

export type Hello = MessageOf<WorkerMessage, 'hello'>;
type ControlRequest = MessageOf<WorkerMessage, 'save' | 'stop'>;
/** All that a worker sends after its hello. */
export type WorkerReport = Exclude<WorkerMessage, Hello | ControlRequest>;

export interface Refusal {
  readonly code: MessageOf<SupervisorMessage, 'refused'>['code'];
  readonly message: string;
}

export interface ChannelServerOptions {
  readonly session: string;
  readonly token: string;
  /** A reason to refuse a worker that has the right token and session (it is fenced); null: it may come in. */
  readonly mayConnect?: (hello: Hello) => Refusal | null;
  /** A worker came in: {@link ChannelServer.sendToWorker} reaches it from now on, and no earlier one. */
  readonly onHello: (hello: Hello) => void;
  readonly onMessage: (message: WorkerReport) => void;
  /** The worker's connection is gone, and no newer one took its place. All that it sent was delivered before. */
  readonly onDisconnected: () => void;
  /** In words; bounded in number for each connection. */
  readonly onProblem: (message: string) => void;
  /**
   * A stop from another terminal; returns the age of the worker's last step for the acknowledgement. Without this it is
   * handed to the worker, as a save is. What the worker reports under a `request` goes back to the client by itself.
   */
  readonly onStop?: (message: MessageOf<WorkerMessage, 'stop'>) => number;
  /** While it is true, workers are not read: the kernel makes them wait. */
  readonly isBusy?: () => boolean;
  /** How long a connection may be silent before its hello. */
  readonly helloMs?: number;
}

const HELLO_MS = 5000;
/** How long a refused client gets to read why. */
const FLUSH_MS = 1000;
/** Requests of one control client whose answers are still to come. */
const MAX_REQUESTS = 64;
/** Half of the connections that the listener admits. */
const MAX_CONTROLS = 32;
/** A client may well come again. */
export const TOO_MANY_CONTROLS = 'too many control clients at once';

export class ChannelServer {
  readonly path: string;
  readonly #options: ChannelServerOptions;
  #listener: Listener | null = null;
  /** Listeners whose socket was removed under them: nobody finds them, but their connections live. */
  #deaf: Listener[] = [];
  #worker: SupervisorConnection | null = null;
  readonly #open = new Set<SupervisorConnection>();
  readonly #controls = new Set<SupervisorConnection>();
  /** Who asked, by request. */
  readonly #askers = new Map<string, SupervisorConnection>();

  constructor(options: ChannelServerOptions) {
    this.#options = options;
    this.path = socketPath(options.session);
  }

  /** @throws NkatError `session-held` when another supervisor answers, `preflight` when the socket folder is not safe */
  async listen(): Promise<void> {
    await ensureSocketDirectory();
    this.#listener = await listen(this.path, (connection) => this.#greet(connection));
  }

  /**
   * Listens anew when the socket is no longer in its place: cleaners of temporary folders remove what looks old. Connections
   * stay.
   *
   * @returns true when it had to
   * @throws what {@link listen} throws
   */
  async listenAgain(): Promise<boolean> {
    if (this.#listener === null || process.platform === 'win32' || existsSync(this.path)) return false;
    const before = this.#listener;
    await this.listen();
    this.#deaf.push(before);
    return true;
  }

  /** True while a worker is connected. */
  get connected(): boolean {
    return this.#worker !== null;
  }

  /** Saves that were asked for from other terminals and are not answered yet. */
  get waiting(): number {
    return this.#askers.size;
  }

  /** `closed`: no worker is connected, or its connection is just breaking. */
  sendToWorker(message: SupervisorMessage): SendOutcome {
    return this.#worker?.send(message) ?? 'closed';
  }

  /** Tells every control client. */
  tellControls(message: SupervisorMessage): void {
    for (const connection of this.#controls) connection.send(message);
  }

  /** The worker has ended: no save that was asked of it will come any more. */
  failSaves(code: string, message: string): void {
    const failed = { v: PROTOCOL_VERSION, type: 'save-failed', step: 0, code, message, hint: null } as const;
    for (const [request, asker] of this.#askers) asker.send({ ...failed, kinds: ['manual'], request });
    this.#askers.clear();
  }

  /** What was sent is flushed (bounded), every connection closed, the socket file removed. */
  async close(): Promise<void> {
    this.#worker = null;
    await Promise.all([...this.#open].map((connection) => connection.close(FLUSH_MS)));
    await Promise.all([this.#listener, ...this.#deaf].map((listener) => listener?.close()));
    this.#listener = null;
    this.#deaf = [];
  }

  #greet(connection: SupervisorConnection): void {
    let role: Hello['role'] | null = null;
    let refused = false;
    const refuse = (refusal: Refusal): void => {
      refused = true;
      clearTimeout(patience);
      this.#refuse(connection, refusal);
    };
    const patience = setTimeout(
      () => refuse({ code: 'protocol', message: 'no hello came in time' }),
      this.#options.helloMs ?? HELLO_MS,
    );
    this.#open.add(connection);
    connection.onProblem((problem) => {
      if (refused) return;
      this.#options.onProblem(inWords(problem, role));
      // Its hello was among what could not be read; without an answer it would wait for a welcome.
      if (role === null) refuse({ code: 'protocol', message: `expected a hello: ${problem.detail}` });
    });
    connection.onClose(() => {
      clearTimeout(patience);
      this.#forget(connection);
    });
    connection.onMessage((message) => {
      if (refused) return;
      if (role !== null) return this.#receive(connection, role, message);
      const refusal = this.#judge(message);
      if (refusal !== null) return refuse(refusal);
      if (message.type !== 'hello') return;
      clearTimeout(patience);
      role = message.role;
      if (role === 'worker' && this.#options.isBusy !== undefined) connection.waitWhile(this.#options.isBusy);
      if (role === 'worker') this.#admit(connection, message);
      else this.#controls.add(connection);
    });
  }

  /** Null: a hello that may speak. The token comes first, so that a stranger learns nothing else. */
  #judge(message: WorkerMessage): Refusal | null {
    if (message.type !== 'hello') return { code: 'protocol', message: `expected a hello, got '${message.type}'` };
    if (!sameSecret(message.token, this.#options.token)) {
      this.#options.onProblem(`a ${message.role} connection with a wrong token was refused (pid ${message.pid})`);
      return { code: 'token', message: 'the token is not that of this session' };
    }
    if (message.session !== this.#options.session) {
      return { code: 'session', message: `this is session ${this.#options.session}` };
    }
    if (message.role === 'worker') return this.#options.mayConnect?.(message) ?? null;
    // The worker must always find a connection free.
    return this.#controls.size < MAX_CONTROLS ? null : { code: 'protocol', message: TOO_MANY_CONTROLS };
  }

  /** The newest connection wins: a worker that reconnects may be faster than the end of its old connection. */
  #admit(connection: SupervisorConnection, hello: Hello): void {
    const before = this.#worker;
    this.#worker = connection;
    before?.destroy();
    this.#options.onHello(hello);
  }

  #receive(connection: SupervisorConnection, role: Hello['role'], message: WorkerMessage): void {
    if (message.type === 'hello') {
      this.#options.onProblem(`a second hello on one connection was ignored (${role})`);
    } else if (message.type === 'save' || message.type === 'stop') {
      if (role === 'control') this.#ask(connection, message);
      else this.#options.onProblem(`a worker asked itself for '${message.type}': ignored`);
    } else if (role === 'control') {
      this.#options.onProblem(`a control client sent '${message.type}': ignored`);
    } else if (connection === this.#worker) {
      this.#relay(message);
      this.#options.onMessage(message);
    }
  }

  #ask(connection: SupervisorConnection, message: ControlRequest): void {
    if (message.type === 'stop' && this.#options.onStop !== undefined) {
      // It concerns the supervisor, which answers it with the end of the session.
      const { request } = message;
      const lastStepAgeMs = this.#options.onStop(message);
      connection.send({ v: PROTOCOL_VERSION, type: 'acknowledged', request, lastStepAgeMs });
      return;
    }
    const own = [...this.#askers].filter(([, asker]) => asker === connection);
    const oldest = own[0];
    if (oldest !== undefined && own.length >= MAX_REQUESTS) this.#askers.delete(oldest[0]);
    this.#askers.set(message.request, connection);
    if (this.sendToWorker(message) === 'closed') connection.send(unreachable(message));
  }

  /** What answers a control client's request goes to that client as well. */
  #relay(message: WorkerReport): void {
    if (message.type !== 'acknowledged' && message.type !== 'saved' && message.type !== 'save-failed') return;
    if (message.request !== null) this.#askers.get(message.request)?.send(message);
  }

  #refuse(connection: SupervisorConnection, { code, message }: Refusal): void {
    connection.send({ v: PROTOCOL_VERSION, type: 'refused', code, message });
    void connection.close(FLUSH_MS);
  }

  #forget(connection: SupervisorConnection): void {
    this.#open.delete(connection);
    this.#controls.delete(connection);
    for (const [request, asker] of this.#askers) if (asker === connection) this.#askers.delete(request);
    if (connection !== this.#worker) return;
    this.#worker = null;
    this.#options.onDisconnected();
  }
}

/** Takes the same time wherever the two differ. Digests, because the comparison needs equal lengths. */
function sameSecret(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

function unreachable(message: ControlRequest): SupervisorMessage {
  return {
    v: PROTOCOL_VERSION,
    type: 'save-failed',
    request: message.request,
    step: 0,
    kinds: message.type === 'save' ? message.kinds : ['emergency'],
    code: 'no-worker',
    message: 'no worker is connected',
    hint: null,
  };
}

function inWords({ problem, detail, dropped }: ChannelProblem, role: Hello['role'] | null): string {
  const who = role === null ? 'an unknown client' : role === 'worker' ? 'the worker' : 'a control client';
  return `a line from ${who} was dropped (${problem}: ${detail}); ${dropped} so far on this connection`;
}
