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

  constructor(address: UpsAddress) {
    this.#address = address;
  }

  /** Bounded; one question at a time. */
  ask(): Promise<UpsReport> {
    return new Promise((resolve) => {
      const { name, host, port } = this.#address;
      const socket = this.#socket ?? connect({ host, port });
      this.#socket = socket;
      let text = '';
      const done = (report: UpsReport): void => {
        clearTimeout(timer);
        socket.removeAllListeners();
        // An error after its end must not end us.
        socket.on('error', () => undefined);
        if (report.kind === 'silent') this.close();
        resolve(report);
      };
      const silent = (reason: string): void => done({ kind: 'silent', reason });
      const timer = setTimeout(() => silent('no answer'), ANSWER_MS);
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        const end = text.indexOf('\n');
        if (end >= 0) done(readAnswer(text.slice(0, end)));
        else if (text.length > MAX_LINE) silent('an answer without an end');
      });
      socket.on('error', ({ message }) => silent(message));
      socket.on('close', () => silent('the connection was closed'));
      socket.write(`GET VAR ${name} ups.status\n`);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }
}

/** Pure: one line of the server. */
export function readAnswer(line: string): UpsReport {
  const status = /^VAR \S+ ups\.status "([^"]*)"/.exec(line)?.[1];
  if (status !== undefined) return { kind: 'status', words: status.split(' ').filter((word) => word !== '') };
  return { kind: 'silent', reason: line.trim() };
}
