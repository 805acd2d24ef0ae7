// Commits checkpoints as a process of its own, on order: one JSON line in, one JSON line out.
//   node committer.mjs <root> <backups> <session> <keep> [<errors that it ignores>]
// All its file operations are made by one thread (UV_THREADPOOL_SIZE=1), which it names first, so that one tracer sees each of them in order.
import { readlink } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { chooseCheckpoint } from '../../dist/checkpoint/choose.js';
import { acquireClaim } from '../../dist/checkpoint/claim.js';
import { beginCommit } from '../../dist/checkpoint/commit.js';
import { nodeFiles } from '../../dist/checkpoint/files.js';
import { storeLayout } from '../../dist/checkpoint/layout.js';
import { settleCommit } from '../../dist/checkpoint/settle.js';
import { careless } from './careless-files.mjs';

const [root = '', backups = '', session = '', keep = '', ignored] = process.argv.slice(2);
const layout = storeLayout(root, backups, session);
const files = ignored === undefined ? nodeFiles : careless(nodeFiles, ignored);
const tensors = [{ name: 'weights', dtype: 'F32', shape: [1024, 3] }];
const retention = { keep: Number(keep), maxBytes: null };

const orders = {
  async claim() {
    const { status, claim } = await acquireClaim(files, layout.directory, { role: 'alone', takeOver: false });
    return { status, claim };
  },
  async commit({ step, claim }) {
    const commit = await beginCommit(files, { layout, claim, tensors });
    await commit.append(new Uint8Array(new Float32Array(3072).fill(step).buffer));
    const facts = { step, epoch: 0, kinds: ['auto', 'best'], reason: null, parent: null, attempt: 1 };
    const more = { metrics: {}, backend: 'plain', versions: { node: process.versions.node }, trainer: null };
    committed = await commit.finish({ state: JSON.stringify({ step }), facts: { ...facts, ...more } });
    const { sequence, tensorsDigest } = committed.manifest;
    return { sequence, step, digest: tensorsDigest, kinds: facts.kinds };
  },
  async settle() {
    const { verdict, removed, backupProblem } = await settleCommit(files, {
      layout,
      committed,
      retention,
      resumedFrom: null,
    });
    return { verdict: verdict.status, removed, backupProblem };
  },
  async choose() {
    const { chosen } = await chooseCheckpoint(files, { layout, setAside: new Set(), quarantine: false });
    return { sequence: chosen?.manifest.sequence ?? 0 };
  },
};

let committed = null;
tell({ thread: Number((await readlink('/proc/thread-self')).split('/')[2]) });
for await (const line of createInterface({ input: process.stdin })) {
  const { order, ...details } = JSON.parse(line);
  try {
    tell({ done: await orders[order](details) });
  } catch (error) {
    tell({ failed: { code: error.code ?? error.name, message: error.message } });
  }
}

function tell(words) {
  process.stdout.write(`${JSON.stringify(words)}\n`);
}
