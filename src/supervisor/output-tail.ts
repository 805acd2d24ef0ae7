/** The worker's output as lines, from files that outlive us. */
import { type FSWatcher, watch } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { aboutDuration } from '../units.ts';
import { type AttemptFiles, attemptFiles } from './attempt-files.ts';
import { linesBefore, startOf } from './output-before.ts';
import { type FollowLimits, KEPT_BYTES, OutputFollower } from './output-follower.ts';
import { type PunchHole, punchHole } from './punch-hole.ts';
import { RecentLines } from './recent-lines.ts';
import { readTailOffsets, writeTailOffsets } from './tail-offsets.ts';

export type Stream = 'stdout' | 'stderr';
const STREAMS = ['stdout', 'stderr'] as const;

export interface TailOptions {
  readonly outputDirectory: string;
  readonly attempt: number;
  /** Called for each line in the order of its stream, without newline. */
  readonly onLine: (stream: Stream, line: string) => void;
  /** Something that the tail goes on without, each kind once; for the log. */
  readonly onProblem: (message: string) => void;
  readonly limits?: Partial<FollowLimits>;
  /** How space is given back; another one in tests of file systems that cannot. */
  readonly punch?: PunchHole;
}

/** 64 KiB a line; 8 MiB steps and two files keep a flood that is read in time below 16 MiB on disk. */
const DEFAULT_LIMITS: FollowLimits = {
  lineBytes: 64 * 1024,
  sliceBytes: 128 * 1024,
  releaseBytes: 8 * 1024 * 1024,
  backlogBytes: 256 * 1024 * 1024,
};

/** Newest stderr lines that are kept as evidence. */
const LAST_LINES = 40;
/** In case that notifications are lost or not to be had (inotify's limit, a network file system). */
const POLL_MS = 500;
const STORE_MS = 1000;

/** What a failure means for who reads it. */
const READ_LATER = 'it is tried again, the training goes on';
const POLLED = `it is looked at every ${aboutDuration(POLL_MS)} instead`;
const SHOWN_TWICE = 'should this supervisor die, the next may show some lines twice';

export class OutputTail {
  readonly #options: TailOptions;
  readonly #files: AttemptFiles;
  readonly #recent = new RecentLines(LAST_LINES);
  readonly #told = new Set<string>();
  #followers: Readonly<Record<Stream, OutputFollower>> | null = null;
  #watchers: FSWatcher[] = [];
  #timer: NodeJS.Timeout | null = null;
  #stored = '';
  #storedAt = 0;
  #storing: Promise<void> | null = null;
  #droppedBytes = 0;

  constructor(options: TailOptions) {
    this.#options = options;
    this.#files = attemptFiles(options.outputDirectory, options.attempt);
  }

  /** Bytes that were never given out as lines: the writer was too far ahead, or holes cannot be made here. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  /** Newest lines of stderr, oldest first, at most 40. */
  lastLines(): string[] {
    return this.#recent.list();
  }

  /** Begins where the last tail of this attempt stopped. The files need not be there yet. */
  async start(): Promise<void> {
    const stored = readTailOffsets(this.#files.offsets);
    const stdout = await this.#read('stdout', (path) => startOf(path, stored.stdout), stored.stdout);
    const stderr = await this.#read('stderr', (path) => startOf(path, stored.stderr), stored.stderr);
    const before = await this.#read('stderr', (path) => linesBefore(path, stderr, KEPT_BYTES), []);
    for (const line of before) this.#recent.add(line);
    this.#followers = { stdout: this.#follow('stdout', stdout), stderr: this.#follow('stderr', stderr) };
    for (const stream of STREAMS) this.#watch(stream);
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
    this.#wake();
  }

  /** Gives out all that was written so far, unfinished last lines too: to be called after the worker's end. */
  async drain(): Promise<void> {
    if (this.#followers === null) return;
    for (const stream of STREAMS) await this.#followers[stream].drain();
    if (this.#droppedBytes > 0) {
      const count = `${this.#droppedBytes} bytes of the worker's output in all`;
      this.#tell('dropped', `${count} came faster than they could be read, and were dropped`);
    }
  }

  /** Stops reading and notes how far it came. What was not drained is left to the next tail. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
    if (this.#followers === null) return;
    for (const stream of STREAMS) await this.#followers[stream].close();
    await this.#storing;
    await this.#store();
  }

  #follow(stream: Stream, start: number): OutputFollower {
    return new OutputFollower({
      path: this.#files[stream],
      start,
      limits: { ...DEFAULT_LIMITS, ...this.#options.limits },
      punch: this.#options.punch ?? punchHole,
      deliver: (line) => {
        if (stream === 'stderr') this.#recent.add(line);
        this.#options.onLine(stream, line);
      },
      onDropped: (bytes) => {
        this.#droppedBytes += bytes;
        this.#tell(
          `dropped-${stream}`,
          `${stream} of the worker came faster than it could be read: parts were dropped`,
        );
      },
      onError: (error) => this.#unreadable(stream, error),
    });
  }

  /** What a disk refuses now keeps nobody from adopting a worker that trains on: its output is read once it can be. */
  async #read<T>(stream: Stream, look: (path: string) => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await look(this.#files[stream]);
    } catch (error) {
      this.#unreadable(stream, error);
      return otherwise;
    }
  }

  #unreadable(stream: Stream, error: unknown): void {
    this.#fail(`read ${stream} of the worker from ${this.#files[stream]}`, error, READ_LATER);
  }

  #watch(stream: Stream): void {
    try {
      const watcher = watch(this.#files[stream], { persistent: false }, () => this.#followers?.[stream].wake());
      watcher.on('error', (error) => this.#fail(`watch ${stream} of the worker`, error, POLLED));
      this.#watchers.push(watcher);
    } catch (error) {
      // The poll serves alone.
      this.#fail(`watch ${stream} of the worker`, error, POLLED);
    }
  }

  #wake(): void {
    for (const stream of STREAMS) this.#followers?.[stream].wake();
  }

  #poll(): void {
    this.#wake();
    const now = performance.now();
    if (this.#storing !== null || now - this.#storedAt < STORE_MS) return;
    this.#storedAt = now;
    this.#storing = this.#store().finally(() => {
      this.#storing = null;
    });
  }

  async #store(): Promise<void> {
    if (this.#followers === null) return;
    const offsets = { stdout: this.#followers.stdout.offset, stderr: this.#followers.stderr.offset };
    const key = `${offsets.stdout} ${offsets.stderr}`;
    if (key === this.#stored) return;
    try {
      await writeTailOffsets(this.#files.offsets, offsets);
      this.#stored = key;
    } catch (error) {
      // An adopting supervisor would show some lines twice: no reason to stop.
      this.#fail(`note in ${this.#files.offsets} how far the output was read`, error, SHOWN_TWICE);
    }
  }

  #fail(operation: string, error: unknown, outlook: string): void {
    const errno = errnoOf(error);
    if (errno === null) throw error;
    this.#tell(`${operation} ${errno}`, `Could not ${operation} (${errno}): ${outlook}`);
  }

  #tell(kind: string, message: string): void {
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    this.#options.onProblem(message);
  }
}
