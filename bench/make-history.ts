/**
 * Makes a state home with a long history: by default 10,000 sessions of 20 checkpoints each, a few KB a session. What a
 * checkpoint holds is real and verifies; its files are hard links to one, so that a million of them fit anywhere.
 *
 *     node --import ./dist/worker/preload.js bench/make-history.ts HOME [--sessions 10000] [--checkpoints 20]
 *         [--database-only | --directories-only]
 */
import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { digestOf } from '../src/checkpoint/digest.ts';
import { checkpointName } from '../src/checkpoint/layout.ts';
import { encodeManifest, tensorsDigestOf } from '../src/checkpoint/manifest.ts';
import { planFile } from '../src/checkpoint/safetensors-header.ts';
import { newSessionFile } from '../src/checkpoint/session-file.ts';
import { newSessionId } from '../src/checkpoint/session-id.ts';
import type { CheckpointEntry, Manifest, SessionFile } from '../src/checkpoint/types.ts';
import { type StateHome, stateHome } from '../src/home.ts';
import { openSessions } from '../src/sessions/open.ts';
import { applyReindexPlan, planReindex } from '../src/supervisor/reindex-plan.ts';
import type { SessionState } from '../src/words.ts';

const STEPS_BETWEEN = 500;
const SAVE_EVERY_MS = 180_000;
/** Sessions begin this far apart, the newest now. */
const SESSION_EVERY_MS = 3_600_000;
const BATCH = 200;
/** How sessions end where most of them end well. */
const STATES: readonly SessionState[] = [
  ...Array<SessionState>(12).fill('completed'),
  ...Array<SessionState>(4).fill('interrupted'),
  ...Array<SessionState>(3).fill('crashed'),
  'gave-up',
];

interface Made {
  readonly file: SessionFile;
  readonly directory: string;
  readonly entries: readonly CheckpointEntry[];
}

interface Payload {
  readonly tensors: Buffer;
  readonly state: Buffer;
  readonly manifest: Omit<Manifest, 'digest' | 'session' | 'sequence' | 'step' | 'epoch' | 'createdAt' | 'parent'>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sessions: { type: 'string', default: '10000' },
    checkpoints: { type: 'string', default: '20' },
    'database-only': { type: 'boolean', default: false },
    'directories-only': { type: 'boolean', default: false },
  },
});
const [homeDirectory] = positionals;
if (homeDirectory === undefined) throw new Error('name the folder to make the state home in');
await makeHistory(stateHome({ NKAT_HOME: resolve(homeDirectory) }));

async function makeHistory(home: StateHome): Promise<void> {
  const count = Number(values.sessions);
  const payload = makePayload();
  const shared = join(home.directory, 'shared');
  mkdirSync(home.checkpoints, { recursive: true, mode: 0o700 });
  writeFileSync(home.roots, `${home.checkpoints}\n`, { mode: 0o600 });
  const { database } = openSessions(home.database);
  const startedAt = performance.now();
  const newest = Date.now();
  for (let first = 0; first < count; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - first) }, (_, offset) =>
      makeSession(home, payload, first + offset, newest - (count - first - offset) * SESSION_EVERY_MS),
    );
    if (!values['database-only']) {
      const originals = writeOriginals(join(shared, String(first)), payload);
      for (const made of batch) writeDirectory(made, originals);
    }
    if (!values['directories-only']) {
      await database.write((tables) => {
        for (const { file, entries } of batch) {
          const plan = planReindex(
            {
              id: file.id,
              root: home.checkpoints,
              file,
              backups: file.backups,
              entries,
              quarantined: [],
              change: 'made',
            },
            { session: null, attempts: [], checkpoints: [] },
          );
          applyReindexPlan(tables, plan);
          for (const { sequence, manifest } of entries) {
            if (manifest === null) continue;
            const { step, kinds, createdAt: at, attempt } = manifest;
            const cost = { outcome: 'saved' as const, bytes: payload.tensors.length, stallMs: 1, writeMs: 50 };
            tables.saves.record({ session: file.id, at, attempt, sequence, step, kinds, ...cost, message: null });
            tables.events.record({ session: file.id, at, attempt, name: 'saved', detail: { sequence, step } });
          }
        }
      });
    }
    process.stderr.write(`\r${first + batch.length} of ${count} sessions`);
  }
  database.close();
  process.stderr.write(`\nmade in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s: ${home.directory}\n`);
}

function makePayload(): Payload {
  const values = new Float32Array(256).map((_, index) => index / 8);
  const bytes = Buffer.from(values.buffer);
  const planned = planFile([{ name: 'dense/kernel', dtype: 'F32', shape: [256] }]);
  const tensors = Buffer.concat([planned.header, bytes]);
  const state = Buffer.from('{}');
  const described = [
    {
      name: 'dense/kernel',
      dtype: 'F32' as const,
      shape: [256],
      offset: 0,
      bytes: bytes.length,
      digest: digestOf(bytes),
    },
  ];
  return {
    tensors,
    state,
    manifest: {
      format: 'nkat-checkpoint',
      version: 1,
      attempt: 1,
      claim: 1,
      kinds: ['auto'],
      reason: null,
      host: 'bench',
      gpu: null,
      driver: null,
      backend: 'cpu',
      versions: { node: process.versions.node },
      trainer: null,
      metrics: { loss: 0.25 },
      memory: { systemTotalBytes: 0, systemFreeBytes: 0, processRssBytes: 0 },
      files: {
        'tensors.safetensors': { bytes: tensors.length, chunks: [digestOf(tensors)] },
        'state.json': { bytes: state.length, chunks: [digestOf(state)] },
      },
      tensors: described,
      tensorsDigest: tensorsDigestOf(described),
    },
  };
}

function makeSession(home: StateHome, payload: Payload, number: number, startMs: number): Made {
  const id = newSessionId(new Date(startMs), () => (number % 32) / 32);
  const directory = join(home.checkpoints, id);
  const backups = join(home.backups, id);
  const checkpoints = Number(values.checkpoints);
  const entries = Array.from({ length: checkpoints }, (_, index): CheckpointEntry => {
    const sequence = index + 1;
    const step = sequence * STEPS_BETWEEN;
    const createdAt = new Date(startMs + sequence * SAVE_EVERY_MS).toISOString();
    const parent = index === 0 ? null : index;
    const own = { session: id, sequence, step, epoch: index, createdAt, parent };
    const manifest: Manifest = { ...payload.manifest, ...own, digest: '' };
    const name = checkpointName(id, step, sequence);
    return { path: join(directory, name), name, sequence, step, manifest, verified: true, place: 'session' };
  }).reverse();
  const identity = {
    cwd: join(home.directory, `project-${number % 50}`),
    trainer: join(home.directory, `project-${number % 50}`, 'train.ts'),
    args: ['--epochs', '100'],
    name: null,
  };
  const now = new Date(startMs);
  const fresh = newSessionFile({ id, identity, token: 'bench', sourceDigest: null, backups, now });
  const file: SessionFile = {
    ...fresh,
    state: STATES[number % STATES.length] ?? 'completed',
    attempts: 1,
    updatedAt: new Date(startMs + (checkpoints + 1) * SAVE_EVERY_MS).toISOString(),
    lastCommit: checkpoints === 0 ? null : { sequence: checkpoints, step: checkpoints * STEPS_BETWEEN },
    lastStep: checkpoints * STEPS_BETWEEN,
  };
  return { file, directory, entries };
}

/** One set a batch: file systems allow some 65,000 names of a file. */
function writeOriginals(directory: string, { tensors, state }: Payload): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, 'tensors'), tensors, { mode: 0o600 });
  writeFileSync(join(directory, 'state'), state, { mode: 0o600 });
  writeFileSync(join(directory, 'verified'), '{"level":2,"at":"2026-11-22T12:00:00.000Z"}\n', { mode: 0o600 });
  return directory;
}

/** Without a sync: a bench that loses its history in a power cut makes it again. */
function writeDirectory({ file, directory, entries }: Made, shared: string): void {
  mkdirSync(join(directory, 'owners'), { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, 'session.json'), `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  for (const { path, manifest } of entries) {
    if (manifest === null) continue;
    const { digest: _, ...unsigned } = manifest;
    mkdirSync(path, { mode: 0o700 });
    writeFileSync(join(path, 'manifest.json'), encodeManifest(unsigned).text, { mode: 0o600 });
    linkSync(join(shared, 'tensors'), join(path, 'tensors.safetensors'));
    linkSync(join(shared, 'state'), join(path, 'state.json'));
    linkSync(join(shared, 'verified'), join(path, 'verified.json'));
  }
}
