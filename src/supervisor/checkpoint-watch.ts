/** Sees checkpoints come and go in the session's directory, also those that nobody reported. */
import { basename, join } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { parseCheckpointName } from '../checkpoint/layout.ts';
import { errnoOf } from '../errors.ts';

export interface CheckpointChanges {
  /** Paths of checkpoint directories that are there now and were not told before. */
  readonly appeared: readonly string[];
  readonly disappeared: readonly string[];
}

interface CheckpointWatchOptions {
  /** The session's checkpoint directory. */
  readonly directory: string;
  /** The first call names those that were there already: nothing falls between a listing and the watch. */
  readonly onChange: (changes: CheckpointChanges) => void;
  /** In words; the channel still reports checkpoints without this watch. */
  readonly onProblem: (message: string) => void;
}

/** A rotation removes several at once: they are told together. */
const QUIET_MS = 100;

export class CheckpointWatch {
  /** Resolves when all that was there at the start has been seen. */
  readonly ready: Promise<void>;
  readonly #options: CheckpointWatchOptions;
  readonly #watcher: FSWatcher;
  readonly #present = new Map<string, boolean>();
  #timer: NodeJS.Timeout | null = null;

  /** Watches at once. */
  constructor(options: CheckpointWatchOptions) {
    this.#options = options;
    const { directory, onProblem } = options;
    this.#watcher = watch(directory, {
      depth: 0,
      // A link could lead anywhere; `latest` leads to what is watched already.
      followSymlinks: false,
      ignored: (path) => path !== directory && parseCheckpointName(basename(path)) === null,
    });
    this.#watcher.on('addDir', (path) => this.#note(path, true));
    this.#watcher.on('unlinkDir', (path) => this.#note(path, false));
    this.#watcher.on('error', (error) => {
      const why = errnoOf(error) ?? (error instanceof Error ? error.message : String(error));
      onProblem(`the checkpoint directory cannot be watched (${why}): ${directory}`);
    });
    this.ready = new Promise((resolve) => this.#watcher.once('ready', () => resolve()));
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#watcher.close();
  }

  #note(path: string, present: boolean): void {
    const { directory, onProblem } = this.#options;
    if (path === directory) {
      if (!present) onProblem(`the checkpoint directory is gone: ${directory}`);
      return;
    }
    this.#present.set(basename(path), present);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), QUIET_MS);
  }

  #tell(): void {
    this.#timer = null;
    const named = (present: boolean): string[] =>
      [...this.#present]
        .filter(([, isPresent]) => isPresent === present)
        .map(([name]) => join(this.#options.directory, name));
    const changes = { appeared: named(true), disappeared: named(false) };
    this.#present.clear();
    this.#options.onChange(changes);
  }
}
