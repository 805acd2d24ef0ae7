/** One request of another terminal to a running supervisor, from its hello to the confirmed result. */
import { NkatError } from '../../errors.ts';
import { connectTo } from '../../protocol/connect.ts';
import type { WorkerConnection } from '../../protocol/connection.ts';
import {
  type MessageOf,
  PROTOCOL_VERSION,
  type SupervisorMessage,
  type WorkerMessage,
} from '../../protocol/messages.ts';
import { socketPath } from '../../protocol/socket-path.ts';
import { startTimer } from '../../timer.ts';

export type ControlRequest = MessageOf<WorkerMessage, 'save' | 'stop'>;
export type SavedMessage = MessageOf<SupervisorMessage, 'saved'>;
/** What is heard on the way to the result: the request arrived, its save is durable. */
export type OnTheWay = MessageOf<SupervisorMessage, 'acknowledged' | 'saved'>;

export type Answer =
  /** Durable, and read back. */
  | { readonly kind: 'saved'; readonly saved: SavedMessage }
  | { readonly kind: 'ended'; readonly ended: MessageOf<SupervisorMessage, 'ended'> }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** Nobody listens, or the connection broke before the result: look again who has the session. */
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'timed-out' };

export interface AskOptions {
  readonly session: string;
  readonly token: string;
  readonly request: ControlRequest;
  /** Bound of the whole, in milliseconds. */
  readonly timeoutMs: number;
  readonly onTheWay: (message: OnTheWay) => void;
}

/** @throws NkatError `protocol` when the supervisor refuses the connection (another token: the session was replaced) */
export async function askSupervisor(options: AskOptions): Promise<Answer> {
  let connection: WorkerConnection;
  try {
    connection = await connectTo(socketPath(options.session));
  } catch (error) {
    return { kind: 'unreachable', message: error instanceof Error ? error.message : String(error) };
  }
  try {
    return await converse(connection, options);
  } finally {
    connection.destroy();
  }
}

function converse(connection: WorkerConnection, options: AskOptions): Promise<Answer> {
  const { request, timeoutMs, onTheWay } = options;
  return new Promise((resolve, reject) => {
    const timer = startTimer(() => resolve({ kind: 'timed-out' }), timeoutMs);
    const settle = (answer: Answer): void => {
      timer.clear();
      resolve(answer);
    };
    connection.onClose(() => settle({ kind: 'unreachable', message: 'the connection was closed before the answer' }));
    connection.onMessage((message) => {
      if (message.type === 'refused') {
        timer.clear();
        if (message.code === 'protocol') resolve({ kind: 'unreachable', message: message.message });
        else reject(refusal(message));
      } else if (message.type === 'ended') settle({ kind: 'ended', ended: message });
      else if ('request' in message && message.request === request.request) take(message, onTheWay, settle);
    });
    connection.send(helloOf(options));
    connection.send(request);
  });
}

/** Shared with the way to an orphan, whose worker answers in the same words. */
export function take(
  message: SupervisorMessage | WorkerMessage,
  onTheWay: (message: OnTheWay) => void,
  settle: (answer: Answer) => void,
): void {
  switch (message.type) {
    case 'acknowledged':
      onTheWay(message);
      break;
    case 'saved':
      if (message.state === 'verified') settle({ kind: 'saved', saved: message });
      else onTheWay(message);
      break;
    case 'save-failed':
      settle({ kind: 'failed', code: message.code, message: message.message });
      break;
    default:
      break;
  }
}

function helloOf({ session, token }: AskOptions): MessageOf<WorkerMessage, 'hello'> {
  return {
    v: PROTOCOL_VERSION,
    type: 'hello',
    role: 'control',
    token,
    session,
    attempt: 0,
    pid: process.pid,
    pidNamespace: null,
    welcomed: false,
    claim: null,
    step: 0,
    epoch: 0,
    phase: 'load',
    lastSaved: null,
    sdk: '',
  };
}

function refusal({ code, message }: MessageOf<SupervisorMessage, 'refused'>): NkatError {
  return new NkatError(`its supervisor refused the request (${code}): ${message}`, {
    code: 'protocol',
    operation: 'reach the session',
    hint: 'Was its session.json replaced while it ran? Stop it in its own terminal with Ctrl-C.',
  });
}
