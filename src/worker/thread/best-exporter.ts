/** Keeps the exported best model up with the newest checkpoint of kind `best`, one export after the other. */
import type { StoreFiles } from '../../checkpoint/files.ts';
import type { StoreLayout } from '../../checkpoint/layout.ts';
import { listSession } from '../../checkpoint/list.ts';
import type { Committed } from '../../checkpoint/types.ts';
import { messageOf } from '../../errors.ts';
import { exportBest, exportedSequence } from './best-export.ts';

export interface BestExporterOptions {
  readonly files: StoreFiles;
  readonly layout: StoreLayout;
  readonly say: (level: 'info' | 'warning', message: string) => void;
}

export class BestExporter {
  readonly #options: BestExporterOptions;
  #exports: Promise<void> = Promise.resolve();
  /** False until it was looked whether an earlier launch ended before its export. */
  #caughtUp = false;
  #failing = false;

  constructor(options: BestExporterOptions) {
    this.#options = options;
  }

  /** Resolves when nothing is being exported. */
  get idle(): Promise<void> {
    return this.#exports;
  }

  /** A commit was read back whole. */
  verified({ manifest, path }: Committed): void {
    if (manifest.kinds.includes('best')) this.#caughtUp = true;
    else if (this.#caughtUp) return;
    const work = manifest.kinds.includes('best')
      ? () => exportBest(this.#options.files, this.#options.layout, path)
      : () => this.#catchUp();
    this.#exports = this.#exports.then(work).then(
      () => this.#succeeded(),
      (error: unknown) => this.#failed(error),
    );
  }

  #succeeded(): void {
    if (this.#failing) this.#options.say('info', 'the best model was exported after all');
    this.#failing = false;
  }

  /** Told when it begins to fail, and tried again after the next commit. */
  #failed(error: unknown): void {
    this.#caughtUp = false;
    if (!this.#failing) {
      this.#options.say('warning', `the best model was not exported and is tried again: ${messageOf(error)}`);
    }
    this.#failing = true;
  }

  async #catchUp(): Promise<void> {
    this.#caughtUp = true;
    const { files, layout } = this.#options;
    const best = (await listSession(files, layout)).find(
      ({ manifest, verified }) => verified && manifest?.kinds.includes('best'),
    );
    if (best === undefined || best.sequence === (await exportedSequence(files, layout))) return;
    await exportBest(files, layout, best.path);
  }
}
