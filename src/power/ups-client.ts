/**
 * Asks a NUT server (upsd) for the status of one UPS, over its text protocol. Source: RFC 9271. The connection is kept,
 * and made anew at the next question when it broke; whatever goes wrong is silence, never an error.
 */
import { connect, type Socket } from 'node:net';
import type { UpsAddress } from '../ups-address.ts';
import type { UpsReport } from './ups-policy.ts';

/** An answer that takes longer is none. */
const ANSWER_MS = 5_000;
/** A line of a server that never ends one is not kept. */
const MAX_LINE = 4_096;

export class UpsClient {
  readonly #address: UpsAddress;
  #socket: Socket | null = null;
  /** What came in answer to the question that is open. */
  #text = '';
  /** Null: no question is open. */
  #answer: ((report: UpsReport) => void) | null = null;

  constructor(address: UpsAddress) {
    this.#address = address;
  }

  /** Bounded; one question at a time. */
  ask(): Promise<UpsReport> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#silent('no answer'), ANSWER_MS);
      this.#text = '';
      this.#answer = (report) => {
        clearTimeout(timer);
        this.#answer = null;
        resolve(report);
      };
      this.#socket ??= this.#connect();
      this.#socket.write(`GET VAR ${this.#address.name} ups.status\n`);
    });
  }

  /** A question that is open is answered with silence. */
  close(): void {
    this.#silent('the connection was closed');
  }

  /** Its listeners stay for its whole life: a server that ends the connection between two questions is noticed then. */
  #connect(): Socket {
    const { host, port } = this.#address;
    const socket = connect({ host, port }).setEncoding('utf8');
    const over = (reason: string): void => {
      if (this.#socket === socket) this.#silent(reason);
    };
    socket.on('data', (part: string) => {
      if (this.#socket === socket) this.#hear(part);
    });
    socket.on('error', ({ message }) => over(message));
    socket.on('close', () => over('the connection was closed'));
    return socket;
  }

  #hear(part: string): void {
    this.#text += part;
    const end = this.#text.indexOf('\n');
    if (end >= 0) this.#heard(readAnswer(this.#text.slice(0, end)));
    else if (this.#text.length > MAX_LINE) this.#silent('an answer without an end');
  }

  #heard(report: UpsReport): void {
    if (report.kind === 'silent') this.#silent(report.reason);
    else this.#answer?.(report);
  }

  #silent(reason: string): void {
    this.#socket?.destroy();
    this.#socket = null;
    this.#answer?.({ kind: 'silent', reason });
  }
}

/** Pure: one line of the server. */
export function readAnswer(line: string): UpsReport {
  const status = /^VAR \S+ ups\.status "([^"]*)"/.exec(line)?.[1];
  if (status !== undefined) return { kind: 'status', words: status.split(' ').filter((word) => word !== '') };
  return { kind: 'silent', reason: line.trim() };
}
