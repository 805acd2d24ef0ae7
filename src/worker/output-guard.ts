/**
 * Output into files that a full disk does not end. Node reports a failed write of `console.log` as an error event, which
 * nobody expects, so a trainer would die of words that found no room; and after that error the stream stays closed.
 */
import { writeSync } from 'node:fs';
import { errnoOf } from '../errors.ts';

/** What passes when there is room again. */
const NO_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO']);

type Done = (error?: Error | null) => void;

/** Node's stream for a descriptor that is a file: synchronous, with one internal method that writes. */
interface FileStream {
  readonly fd: number;
  _write(chunk: Uint8Array | string, encoding: BufferEncoding, done: Done): void;
}

/** Shared by the preload and an SDK of the trainer's own, which may be two copies of this module. */
const GUARD = Symbol.for('nkat-recover.output-guard');

interface Guard {
  droppedBytes: number;
  /** The newest write found no room. */
  failing: boolean;
  told: boolean;
}

/** Guards the standard streams that are files; once a process. */
export function guardOutput(): void {
  const holder = process as { [GUARD]?: Guard };
  if (holder[GUARD] !== undefined) return;
  const guard: Guard = { droppedBytes: 0, failing: false, told: false };
  holder[GUARD] = guard;
  for (const stream of [process.stdout, process.stderr]) {
    if (isFileStream(stream)) guardStream(stream, guard);
  }
}

/** What is to be said of dropped output: once when it begins, and once, with the amount, when it is over. */
export function newsOfDroppedOutput(): string | null {
  const guard = (process as { [GUARD]?: Guard })[GUARD];
  if (guard === undefined || guard.droppedBytes === 0 || (guard.failing && guard.told)) return null;
  guard.told = guard.failing;
  if (guard.failing) return 'the disk of the output files is full: output is dropped and counted until there is room';
  const { droppedBytes } = guard;
  guard.droppedBytes = 0;
  return `there is room for output again; ${droppedBytes} bytes of it were dropped`;
}

function isFileStream(stream: unknown): stream is FileStream {
  return (stream as object).constructor.name === 'SyncWriteStream';
}

function guardStream(stream: FileStream, guard: Guard): void {
  const { fd } = stream;
  stream._write = (chunk, encoding, done) => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written);
      guard.failing = false;
      done();
    } catch (error) {
      if (!NO_ROOM.has(errnoOf(error) ?? '')) return done(error instanceof Error ? error : new Error(String(error)));
      guard.droppedBytes += bytes.length - written;
      guard.failing = true;
      done();
    }
  };
}
