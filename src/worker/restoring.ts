/** Gathers what the thread reads of a checkpoint until it is whole. */
import type { ResumePoint } from '../protocol/messages.ts';
import { type Deferred, deferred } from './deferred.ts';
import type { SavedTensor } from './state.ts';
import type { ToLoop } from './thread/messages.ts';

export type Loaded =
  | { readonly kind: 'fresh' }
  | {
      readonly kind: 'loaded';
      readonly point: ResumePoint;
      readonly tensors: ReadonlyMap<string, SavedTensor>;
      readonly state: string;
    };

export type LoadMessage = Extract<ToLoop, { type: 'tensor' | 'load-again' | 'loaded' | 'fresh' }>;

export class Restoring {
  #tensors = new Map<string, SavedTensor>();
  readonly #loaded: Deferred<Loaded> = deferred();

  get loaded(): Promise<Loaded> {
    return this.#loaded.promise;
  }

  receive(message: LoadMessage): void {
    switch (message.type) {
      case 'tensor':
        this.#tensors.set(message.name, { dtype: message.dtype, shape: message.shape, bytes: message.bytes });
        return;
      case 'load-again':
        this.#tensors = new Map();
        return;
      case 'fresh':
        this.#loaded.resolve({ kind: 'fresh' });
        return;
      case 'loaded':
        this.#loaded.resolve({ kind: 'loaded', point: message.resume, tensors: this.#tensors, state: message.state });
        return;
    }
  }

  fail(error: unknown): void {
    this.#loaded.reject(error);
  }
}
