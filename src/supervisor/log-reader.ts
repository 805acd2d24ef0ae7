/** The lines of a session's log in order, through its rotated files, with bounded memory and across rotations. */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BoundedLines } from '../bounded-lines.ts';
import { errnoOf } from '../errors.ts';
import { LOG_NAME } from './session-log.ts';

const CHUNK_BYTES = 256 * 1024;
/** Longer than any line that the log itself writes. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
/** Looks at a folder in mid-rotation before what is seen counts. */
const MAX_LOOKS = 10;

interface LogFile {
  readonly path: string;
  /** Device and inode: its name changes when it is rotated, this does not, and it is not given away while we hold it open. */
  readonly identity: string;
}

export class LogReader {
  readonly #directory: string;
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);
  #current: { readonly handle: FileHandle; readonly identity: string } | null = null;
  #offset = 0;
  #lines = new BoundedLines(MAX_LINE_BYTES);
  #missed = false;

  /** @param directory `<logs>/<session>` */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** True once when files were rotated away faster than they were read; asking resets it. */
  takeMissed(): boolean {
    const missed = this.#missed;
    this.#missed = false;
    return missed;
  }

  /** Batches of lines up to the present end, oldest first; to be called again for what came since. */
  async *read(): AsyncGenerator<readonly string[]> {
    for (;;) {
      if (this.#current === null && !(await this.#openFirst())) return;
      yield* this.#readToEnd();
      if (!(await this.#isRotated())) return;
      // It was closed before it was renamed, so what is there now is all.
      yield* this.#readToEnd();
      const rest = this.#lines.finish();
      if (rest !== null) yield [rest];
      if (!(await this.#openNext())) return;
    }
  }

  async close(): Promise<void> {
    await this.#current?.handle.close();
    this.#current = null;
  }

  async *#readToEnd(): AsyncGenerator<readonly string[]> {
    for (;;) {
      const { handle } = this.#held();
      const { bytesRead } = await handle.read(this.#chunk, 0, CHUNK_BYTES, this.#offset);
      if (bytesRead === 0) break;
      this.#offset += bytesRead;
      const lines = this.#lines.push(this.#chunk.subarray(0, bytesRead));
      if (lines.length > 0) yield lines;
    }
    // The writer took back a torn line: what we hold of it is void.
    const { size } = await this.#held().handle.stat();
    if (size >= this.#offset) return;
    this.#offset = size;
    this.#lines = new BoundedLines(MAX_LINE_BYTES);
  }

  #held(): { readonly handle: FileHandle; readonly identity: string } {
    if (this.#current === null) throw new TypeError('no log file is open');
    return this.#current;
  }

  async #isRotated(): Promise<boolean> {
    return (await this.#files()).at(-1)?.identity !== this.#held().identity;
  }

  async #openFirst(): Promise<boolean> {
    const [first] = await this.#files();
    return first !== undefined && (await this.#open(first));
  }

  async #openNext(): Promise<boolean> {
    const files = await this.#files();
    const at = files.findIndex(({ identity }) => identity === this.#held().identity);
    // Not among them any more: it was rotated out, and those between it and the oldest that is left perhaps too.
    if (at < 0) this.#missed = true;
    const next = files[at + 1];
    if (next === undefined) return false;
    return this.#open(next);
  }

  async #open({ path, identity }: LogFile): Promise<boolean> {
    let handle: FileHandle;
    try {
      handle = await open(path, 'r');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
    if (identityOf(await handle.stat()) !== identity) {
      // Renamed between the look and the open; the next look finds it.
      await handle.close();
      return true;
    }
    await this.#current?.handle.close();
    this.#current = { handle, identity };
    this.#offset = 0;
    this.#lines = new BoundedLines(MAX_LINE_BYTES);
    return true;
  }

  /** Oldest first, the one that is written to last. Looked at until two looks agree: a rotation is several renames. */
  async #files(): Promise<readonly LogFile[]> {
    let before = await this.#look();
    for (let look = 0; look < MAX_LOOKS; look += 1) {
      const now = await this.#look();
      if (now.map(({ identity }) => identity).join() === before.map(({ identity }) => identity).join()) return now;
      before = now;
    }
    return before;
  }

  async #look(): Promise<LogFile[]> {
    const numbered: { readonly number: number; readonly file: LogFile }[] = [];
    for (const name of await namesIn(this.#directory)) {
      const match = new RegExp(`^${LOG_NAME.replace('.', '\\.')}(?:\\.(\\d+))?$`).exec(name);
      if (match === null) continue;
      const path = join(this.#directory, name);
      const identity = await identityAt(path);
      if (identity !== null) numbered.push({ number: Number(match[1] ?? 0), file: { path, identity } });
    }
    return numbered.sort((a, b) => b.number - a.number).map(({ file }) => file);
  }
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function identityAt(path: string): Promise<string | null> {
  try {
    return identityOf(await stat(path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function identityOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}
