/** Reads a checkpoint for the training loop: every tensor's digest is checked over the very bytes that it gets. */
import type { StoreFiles } from '../../checkpoint/files.ts';
import { openCheckpoint } from '../../checkpoint/open.ts';
import { errnoOf, NkatError } from '../../errors.ts';
import type { ToLoop } from './messages.ts';

export type LoadOutcome =
  | { readonly status: 'loaded'; readonly state: string }
  /** `damaged`: the bytes are wrong. Otherwise nothing is known about them. */
  | { readonly status: 'unusable'; readonly damaged: boolean; readonly reason: string };

/** Hands over tensor after tensor as it is read; `post` transfers their buffers. */
export async function loadCheckpoint(
  files: StoreFiles,
  path: string,
  session: string,
  post: (message: ToLoop, transfer: ArrayBuffer[]) => void,
): Promise<LoadOutcome> {
  try {
    const checkpoint = await openCheckpoint(files, path, session);
    try {
      for await (const { name, dtype, shape, bytes } of checkpoint.tensors()) {
        const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
        post({ type: 'tensor', name, dtype, shape, bytes: own }, [own.buffer]);
      }
      return { status: 'loaded', state: await checkpoint.state() };
    } finally {
      await checkpoint.close();
    }
  } catch (error) {
    if (error instanceof NkatError) {
      return { status: 'unusable', damaged: error.code === 'checkpoint-damaged', reason: error.message };
    }
    const errno = errnoOf(error);
    if (errno === null) throw error;
    return { status: 'unusable', damaged: false, reason: `${errno}: ${(error as Error).message}` };
  }
}
