/** Lines to messages. What does not fit is data, never an exception. */

import { Invalid, type ObjectSchema, read } from '../schema.ts';
import {
  PROTOCOL_VERSION,
  SUPERVISOR_MESSAGES,
  type SupervisorMessage,
  WORKER_MESSAGES,
  type WorkerMessage,
} from './messages.ts';

export type DecodeProblem =
  /** From a newer peer; to be ignored. */
  | 'unknown-type'
  /** Another protocol version: the peer should be refused in words. */
  | 'other-version'
  /** No JSON object with a type. */
  | 'malformed'
  /** A known type whose fields do not fit its schema. */
  | 'invalid';

export type Decoded<M> =
  | { readonly ok: true; readonly message: M }
  | { readonly ok: false; readonly problem: DecodeProblem; readonly detail: string };

type Table<M> = ReadonlyMap<string, ObjectSchema<M>>;

function tableOf<M>(schemas: readonly ObjectSchema<M>[]): Table<M> {
  return new Map(
    schemas.map((schema) => {
      const type = schema.fields.type;
      if (type?.kind !== 'literal') throw new TypeError('a message schema without a literal type');
      return [String(type.value), schema];
    }),
  );
}

const workerTable: Table<WorkerMessage> = tableOf<WorkerMessage>(WORKER_MESSAGES);
const supervisorTable: Table<SupervisorMessage> = tableOf<SupervisorMessage>(SUPERVISOR_MESSAGES);

/** Reads what a worker or a control client sent. */
export function decodeWorkerMessage(line: string): Decoded<WorkerMessage> {
  return decode(workerTable, line);
}

/** Reads what a supervisor sent. */
export function decodeSupervisorMessage(line: string): Decoded<SupervisorMessage> {
  return decode(supervisorTable, line);
}

function decode<M>(table: Table<M>, line: string): Decoded<M> {
  const value = parse(line);
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') {
    return { ok: false, problem: 'malformed', detail: `no message: ${excerpt(line)}` };
  }
  const schema = table.get(value.type);
  if (schema === undefined) return { ok: false, problem: 'unknown-type', detail: excerpt(value.type) };
  if ('v' in value && typeof value.v === 'number' && value.v !== PROTOCOL_VERSION) {
    return { ok: false, problem: 'other-version', detail: `'${value.type}' in protocol version ${value.v}` };
  }
  const message = read(schema, value);
  if (message instanceof Invalid)
    return { ok: false, problem: 'invalid', detail: `'${value.type}': ${message.detail}` };
  return { ok: true, message };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    // Only a syntax error is the peer's fault; it is answered as 'malformed', like JSON that is no message.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Enough of a line to recognize it, on one screen line whatever it holds. */
function excerpt(line: string): string {
  const printable = line.slice(0, 120).replace(/\p{C}/gu, '?');
  return line.length > 120 ? `${printable}...` : printable;
}
