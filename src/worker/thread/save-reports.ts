/** What the supervisor hears of saves: each request is answered for itself. */
import type { Committed } from '../../checkpoint/types.ts';
import type { MessageOf, WorkerMessage } from '../../protocol/messages.ts';
import type { SaveBegin, SaveRefused } from './messages.ts';
import type { FinishedSave } from './writer.ts';

export class SaveReports {
  readonly #tell: (message: WorkerMessage) => void;

  constructor(tell: (message: WorkerMessage) => void) {
    this.#tell = tell;
  }

  started(save: SaveBegin): void {
    const { step, kinds, reason } = save;
    for (const request of orNull(save.requests)) {
      this.#tell({ v: 1, type: 'save-started', request, step, kinds: [...kinds], reason });
    }
  }

  failed(save: SaveBegin | SaveRefused, code: string, message: string, hint: string | null = null): void {
    const { step, kinds } = save;
    for (const request of orNull(save.requests)) {
      this.#tell({ v: 1, type: 'save-failed', request, step, kinds: [...kinds], code, message, hint });
    }
  }

  saved(state: 'durable' | 'verified', save: FinishedSave, { manifest, path, bytes, writeMs }: Committed): void {
    const saved: Omit<MessageOf<WorkerMessage, 'saved'>, 'request'> = {
      v: 1,
      type: 'saved',
      state,
      sequence: manifest.sequence,
      step: manifest.step,
      epoch: manifest.epoch,
      kinds: [...manifest.kinds],
      reason: manifest.reason,
      path,
      bytes,
      digest: manifest.tensorsDigest,
      metrics: { ...manifest.metrics },
      parent: manifest.parent,
      createdAt: manifest.createdAt,
      stallMs: save.stallMs,
      writeMs,
    };
    for (const request of orNull(save.requests)) this.#tell({ ...saved, request });
  }
}

/** A save that nobody asked for is told once, without a request. */
function orNull(requests: readonly string[]): readonly (string | null)[] {
  return requests.length === 0 ? [null] : requests;
}
