/** The exported best model is never ahead of what was read back: the thread's core on a real store, with a disk that is watched. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { acquireClaim } from '../../src/checkpoint/claim.ts';
import { nodeFiles, type StoreFile, type StoreFiles } from '../../src/checkpoint/files.ts';
import { type StoreLayout, storeLayout } from '../../src/checkpoint/layout.ts';
import type { WorkerMessage } from '../../src/protocol/messages.ts';
import { ControlBlock } from '../../src/worker/control-block.ts';
import { Saver } from '../../src/worker/saver.ts';
import { ThreadCore } from '../../src/worker/thread/core.ts';
import type { ToLoop } from '../../src/worker/thread/messages.ts';
import { temporaryDirectory } from '../rig/temporary-directory.ts';

const SESSION = '20261122_120000_aaaa';
const POLICY = {
  ...{ every: null, everySteps: null, everyEpochs: null, overhead: 0.005, asyncSave: null, best: null },
  ...{ bestMinDelta: null, keep: 5, maxBytes: null, onFullDisk: null },
};

beforeEach(() => {
  // The core reports for as long as its process lives.
  vi.useFakeTimers({ toFake: ['setInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** One save of kind `best` on these files, to its end. */
async function saveBest(layout: StoreLayout, files: StoreFiles): Promise<readonly WorkerMessage[]> {
  const claimed = await acquireClaim(nodeFiles, layout.directory, { role: 'supervisor', takeOver: false });
  const { port1: loop, port2: port } = new MessageChannel();
  const told: WorkerMessage[] = [];
  const facts = {
    ...{ session: SESSION, attempt: 1, claim: claimed.status === 'claimed' ? claimed.claim : 0 },
    ...{ directory: layout.directory, backups: layout.backups, resume: null, policy: POLICY },
    ...{ requireGpu: false, learningRateScale: 1, batchScale: 1, trainer: null, drill: null },
  };
  const core = new ThreadCore({
    ...{ files, port, control: new ControlBlock(), mode: 'supervised', resumed: null, versions: {} },
    side: (owner) => ({
      start: () => owner.welcomed(facts, false),
      tell: (message) => told.push(message),
      tellNow: () => undefined,
      unusable: () => Promise.resolve(null),
      committed: () => Promise.resolve(),
      fenced: () => undefined,
      ended: () => Promise.resolve(),
    }),
  });
  core.start();
  const saver = new Saver({
    post: (message) => loop.postMessage(message),
    now: () => performance.now(),
    measured: () => undefined,
    waitFor: () => undefined,
  });
  const flushed = new Promise<void>((resolve) => {
    loop.on('message', (message: ToLoop) => {
      if (message.type === 'flushed') resolve();
      else if (message.type.startsWith('save-')) saver.receive(message as Parameters<Saver['receive']>[0]);
    });
  });
  const bytes = Buffer.from(new Float32Array([1, 2, 3, 4]).buffer);
  const handle = saver.begin({
    ...{ step: 1, epoch: 0, kinds: ['best'], reason: null, requests: [], metrics: { score: 1 } },
    ...{ memory: {}, backend: 'test', versions: {} },
    content: () => ({
      tensors: [
        {
          name: 'w',
          dtype: 'F32',
          shape: [4],
          read: (target, from) => void target.set(bytes.subarray(from, from + target.length)),
        },
      ],
      json: { run: { best: { metric: 'score', mode: 'max', value: 1, epoch: 0 } }, state: {} },
      release: () => undefined,
    }),
  });
  saver.hurry();
  await handle.settled;
  loop.postMessage({ type: 'flush', id: 1 });
  await flushed;
  loop.close();
  return told;
}

function layoutIn(root: string): StoreLayout {
  return storeLayout(join(root, 'checkpoints'), join(root, 'backups'), SESSION);
}

test('it is begun only after the checkpoint was read back and marked as verified', async () => {
  const layout = layoutIn(temporaryDirectory());
  const log: string[] = [];
  let exporting: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    exporting = resolve;
  });
  const noticed = async (path: string): Promise<void> => {
    const what = path.includes('best_model') ? 'export' : /checkpoint_[^/]*\/[^/]*verified/.test(path) ? 'mark' : null;
    if (what === null || log.includes(what)) return;
    // The mark holds for a while: an export that does not wait for it comes first.
    if (what === 'mark') await Promise.race([begun, sleep(300)]);
    else exporting();
    log.push(what);
  };
  const watched: StoreFiles = {
    ...nodeFiles,
    open: async (path, mode, direct) => {
      if (mode !== 'read') await noticed(path);
      return nodeFiles.open(path, mode, direct);
    },
    makeDirectory: async (path) => {
      await noticed(path);
      return nodeFiles.makeDirectory(path);
    },
    rename: async (from, to) => {
      await noticed(to);
      return nodeFiles.rename(from, to);
    },
  };
  await saveBest(layout, watched);
  expect(log).toEqual(['mark', 'export']);
  expect(JSON.parse(readFileSync(join(layout.backups, 'best_model/best_metadata.json'), 'utf8'))).toMatchObject({
    metric: 'score',
    value: 1,
  });
});

test('one that does not verify is not exported, though its bytes read well a moment later', async () => {
  const layout = layoutIn(temporaryDirectory());
  let damaged = 0;
  const flipping = (file: StoreFile): StoreFile => ({
    direct: file.direct,
    read: async (target, offset, length, position) => {
      const count = await file.read(target, offset, length, position);
      if (damaged === 0 && count > 0) {
        damaged += 1;
        target[offset + count - 1] = (target[offset + count - 1] ?? 0) ^ 1;
      }
      return count;
    },
    write: (...args) => file.write(...args),
    truncate: (bytes) => file.truncate(bytes),
    sync: () => file.sync(),
    facts: () => file.facts(),
    close: () => file.close(),
  });
  const told = await saveBest(layout, {
    ...nodeFiles,
    open: async (path, mode, direct) => {
      const file = await nodeFiles.open(path, mode, direct);
      return mode === 'read' && path.endsWith('tensors.safetensors') ? flipping(file) : file;
    },
  });
  expect(damaged).toBe(1);
  expect(told).toContainEqual(expect.objectContaining({ type: 'save-failed', code: 'read-back' }));
  expect(existsSync(join(layout.backups, 'best_model'))).toBe(false);
});
