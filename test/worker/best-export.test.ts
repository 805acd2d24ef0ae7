/** The best model in its framework's own form: it loads, it predicts the same, and nobody ever sees half of one. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { listSession } from '../../src/checkpoint/list.ts';
import { exportBest } from '../../src/worker/thread/best-export.ts';
import { BestExporter } from '../../src/worker/thread/best-exporter.ts';
import { launchTrainer } from './rig/launch-trainer.ts';
import { ScriptedSupervisor } from './rig/scripted-supervisor.ts';

const NETWORK = fileURLToPath(new URL('../../fixtures/trainers/network.mjs', import.meta.url));
const INPUTS = [
  [0.5, -0.5, 0.25, 1],
  [-1, 0, 1, 0.125],
];

interface ModelJson {
  readonly modelTopology: object;
  readonly weightsManifest: [{ paths: [string]; weights: tf.io.WeightsManifestEntry[] }];
}

const folderOf = ({ layout }: ScriptedSupervisor): string => join(layout.backups, 'best_model');
const json = <T>(folder: string, name: string): T => JSON.parse(readFileSync(join(folder, name), 'utf8')) as T;

/** As any loader does it: `model.json`, then the file that it names. */
function load(folder: string): Promise<tfl.LayersModel> {
  const { modelTopology, weightsManifest } = json<ModelJson>(folder, 'model.json');
  const [{ paths, weights }] = weightsManifest;
  const bytes = readFileSync(join(folder, paths[0]));
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  return tfl.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs: weights, weightData }));
}

async function trained(args: readonly (string | number)[], supervisor: ScriptedSupervisor): Promise<string> {
  const worker = launchTrainer(args, supervisor.environment(), { script: NETWORK });
  expect((await worker.ended).code).toBe(0);
  return worker.stdout;
}

test.each([
  ['the averaged weights, which were evaluated', [], 'average'],
  ['the weights themselves where there is no average', ['--no-average'], 'trained'],
] as const)('%s: loaded by tfjs, the model says what the trainer said', async (_, args, weights) => {
  const supervisor = await new ScriptedSupervisor().live();
  const output = await trained(['--predict', ...args], supervisor);
  const folder = folderOf(supervisor);
  const best = (await supervisor.manifests()).find(({ kinds }) => kinds.includes('best'));
  const metadata = json<object>(folder, 'best_metadata.json');
  expect(metadata).toMatchObject({
    metric: 'error',
    mode: 'min',
    value: best?.metrics.error,
    epoch: best?.epoch,
    step: 12,
    time: best?.createdAt,
    sequence: best?.sequence,
    weights,
    files: ['model.json', `weights_${best?.sequence}.bin`],
  });
  await tf.setBackend('cpu');
  const model = await load(folder);
  const said = Array.from((model.predict(tf.tensor2d(INPUTS)) as tf.Tensor).dataSync());
  expect(said).toEqual(JSON.parse(/predicted (.*)/.exec(output)?.[1] ?? 'null'));
});

test('an export that fails at any replacement leaves the one before it whole', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  await trained(['--epochs', 2], supervisor);
  const folder = folderOf(supervisor);
  const before = readFileSync(join(folder, 'model.json'), 'utf8');
  const entries = await listSession(nodeFiles, supervisor.layout);
  const final = entries.find(({ manifest }) => manifest?.kinds.includes('final'));
  const broken = {
    ...nodeFiles,
    rename: () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })),
  };
  await expect(exportBest(broken, supervisor.layout, final?.path ?? '')).rejects.toThrow('ENOSPC');
  expect(readFileSync(join(folder, 'model.json'), 'utf8')).toBe(before);
  expect((await load(folder)).layers).toHaveLength(2);
  // The one before stays for whoever is loading it; those before that one go.
  await exportBest(nodeFiles, supervisor.layout, final?.path ?? '');
  expect(readdirSync(folder).filter((name) => name.endsWith('.bin'))).toHaveLength(2);
  expect(readdirSync(folder).filter((name) => name.includes('tmp'))).toEqual([]);
});

test('an export that fails is told once, tried again after the next commit, and told once when it is there', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  await trained(['--epochs', 2], supervisor);
  const { layout } = supervisor;
  const manifests = await listSession(nodeFiles, layout);
  const [best, final] = ['best', 'final'].map((kind) =>
    manifests.find(({ manifest }) => manifest?.kinds.includes(kind)),
  );
  const told: string[] = [];
  const exporter = new BestExporter({ files: nodeFiles, layout, say: (level, text) => told.push(`${level} ${text}`) });
  const commits = async (entry: typeof best): Promise<void> => {
    if (entry?.manifest == null) throw new Error('no such checkpoint');
    exporter.verified({ path: entry.path, manifest: entry.manifest, bytes: 0, writeMs: 0 });
    await exporter.idle;
  };
  renameSync(layout.backups, `${layout.backups}-away`);
  await commits(best);
  await commits(best);
  expect(existsSync(layout.backups)).toBe(false);
  renameSync(`${layout.backups}-away`, layout.backups);
  rmSync(folderOf(supervisor), { recursive: true });
  await commits(final);
  expect(json<{ sequence: number }>(folderOf(supervisor), 'best_metadata.json').sequence).toBe(best?.sequence);
  await commits(final);
  expect(told).toEqual([
    expect.stringContaining('warning the best model was not exported'),
    'info the best model was exported after all',
  ]);
  expect(told[0]).toContain('is its disk mounted?');
});

test('a state of arrays is exported as safetensors, without the history', async () => {
  const supervisor = await new ScriptedSupervisor().live();
  expect((await launchTrainer(['--epochs', 2], supervisor.environment()).ended).code).toBe(0);
  const folder = folderOf(supervisor);
  const { files } = json<{ files: [string] }>(folder, 'best_metadata.json');
  const bytes = readFileSync(join(folder, files[0]));
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString()) as object;
  expect(Object.keys(header)).toEqual(expect.arrayContaining(['weights', 'momentum']));
  expect(Object.keys(header).filter((name) => name.startsWith('history/'))).toEqual([]);
});

test('an improvement below the least one is no new best; the operator goes before the trainer', async () => {
  const bests = async (args: readonly (string | number)[], bestMinDelta: number | null): Promise<number> => {
    const supervisor = await new ScriptedSupervisor({ bestMinDelta }).live();
    await trained(args, supervisor);
    return supervisor.of('saved').filter(({ state, kinds }) => state === 'durable' && kinds.includes('best')).length;
  };
  expect(await bests([], null)).toBe(3);
  expect(await bests(['--best-min-delta', 1000], null)).toBe(1);
  expect(await bests(['--best-min-delta', 1000], 0)).toBe(3);
});
