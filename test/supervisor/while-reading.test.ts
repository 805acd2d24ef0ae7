/** A disk that stands still while a checkpoint is read: told by the clock, with how far it came. */
import { expect, test } from 'vitest';
import { chooseCheckpoint } from '../../src/checkpoint/choose.ts';
import { nodeFiles, type StoreFiles } from '../../src/checkpoint/files.ts';
import type { SupervisorEvent } from '../../src/supervisor/events.ts';
import { whileReading } from '../../src/supervisor/while-reading.ts';
import { claimed, save, temporaryLayout } from '../checkpoint/store.ts';
import { waitFor } from '../rig/wait-for.ts';

const EVERY_MS = 20;
const CHUNK = 8 * 1024 * 1024;

/** Reads of tensors wait from the second chunk on, until `open` is called. */
function standing(): { readonly files: StoreFiles; readonly open: () => void } {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const files: StoreFiles = {
    ...nodeFiles,
    open: async (path, mode, direct) => {
      const file = await nodeFiles.open(path, mode, direct);
      if (!path.endsWith('.safetensors')) return file;
      return {
        direct: file.direct,
        read: async (target, offset, length, position) => {
          if (position >= CHUNK) await gate;
          return file.read(target, offset, length, position);
        },
        write: (...args) => file.write(...args),
        truncate: (bytes) => file.truncate(bytes),
        sync: () => file.sync(),
        facts: () => file.facts(),
        close: () => file.close(),
      };
    },
  };
  return { files, open };
}

test('who waits for a checkpoint to be read hears which and how much of it, until it is chosen', async () => {
  const layout = temporaryLayout();
  const bytes = new Uint8Array(2.5 * CHUNK);
  await save({
    layout,
    claim: await claimed(layout),
    step: 40,
    tensors: [{ name: 'weights', dtype: 'F32', shape: [bytes.length / 4] }],
    bytes,
  });
  const told: SupervisorEvent[] = [];
  const context = { tell: (event: SupervisorEvent) => told.push(event), nowMs: () => performance.now() };
  const { files, open } = standing();
  const choice = whileReading(
    context,
    (onReading) => chooseCheckpoint(files, { layout, setAside: new Set(), quarantine: true, onReading }),
    EVERY_MS,
  );
  const stuck = await waitFor('two words about the same place', () => {
    const [last, before] = [told.at(-1), told.at(-2)];
    return last?.name === 'checkpoint-verifying' && last.readBytes >= CHUNK && before !== undefined ? last : null;
  });
  expect(stuck).toMatchObject({ sequence: 1, step: 40, readBytes: expect.any(Number) });
  expect(stuck.readBytes).toBeLessThan(2 * CHUNK);
  expect(stuck.totalBytes).toBeGreaterThan(bytes.length);
  expect(stuck.elapsedMs).toBeGreaterThan(0);
  open();
  expect((await choice).chosen?.manifest.step).toBe(40);
  const count = told.length;
  await new Promise((resolve) => setTimeout(resolve, 5 * EVERY_MS));
  expect(told).toHaveLength(count);
});
