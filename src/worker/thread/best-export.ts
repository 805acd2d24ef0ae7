/**
 * The best model in its framework's own loadable form, beside its backups: `best_model/model.json` with its weights for
 * tfjs, else `model_<sequence>.safetensors`, and `best_metadata.json`. Made from the committed bytes, whose digests are
 * checked on the way. Weights have a new name each time and are there before the file that names them is replaced, in
 * one step; the ones before them stay until the next export. So whoever loads sees one model whole, also when this
 * process is killed at any moment.
 */
import { join } from 'node:path';
import { openBackupPlace } from '../../checkpoint/backup-place.ts';
import { bounceBuffers } from '../../checkpoint/bounce-buffers.ts';
import { ChunkedWriter } from '../../checkpoint/chunked-writer.ts';
import type { StoreFiles } from '../../checkpoint/files.ts';
import { makeDurableLevel, type StoreLayout } from '../../checkpoint/layout.ts';
import { type LoadedTensor, type OpenCheckpoint, openCheckpoint } from '../../checkpoint/open.ts';
import { planFile } from '../../checkpoint/safetensors-header.ts';
import { cleanTemporaries, readTextIfAny, removeIfAny, replaceFile } from '../../checkpoint/small-file.ts';
import { decodeState } from '../../checkpoint/state-json.ts';
import type { Manifest } from '../../checkpoint/types.ts';
import type { BestValue } from '../best-model.ts';
import { exportPlans, type ModelPlan } from '../export-plan.ts';

const FOLDER = 'best_model';
const METADATA = 'best_metadata.json';
const MAX_METADATA_BYTES = 16 * 1024 * 1024;
const WEIGHTS = /^(?:weights|model)_(\d+)\.(?:bin|safetensors)$/;
const DTYPES: Readonly<Record<string, string>> = { F32: 'float32', I32: 'int32', BOOL: 'bool' };

/** What `best_metadata.json` says, and `userDefinedMetadata` of a `model.json` too. */
interface BestMetadata {
  readonly version: 1;
  readonly session: string;
  readonly metric: string | null;
  readonly mode: 'min' | 'max' | null;
  readonly value: number | null;
  /** Epochs that were completed, as in the manifest and on the screen. */
  readonly epoch: number;
  readonly step: number;
  /** ISO 8601, of the save. */
  readonly time: string;
  readonly sequence: number;
  /** Digest of all tensors of the checkpoint. */
  readonly digest: string;
}

/** Sequence of the model that stands there; null: none, or nothing that can be read. */
export async function exportedSequence(files: StoreFiles, { backups }: StoreLayout): Promise<number | null> {
  const text = await readTextIfAny(files, join(backups, FOLDER, METADATA), MAX_METADATA_BYTES);
  if (text === null) return null;
  try {
    const { sequence } = JSON.parse(text) as Partial<BestMetadata>;
    return typeof sequence === 'number' ? sequence : null;
  } catch {
    // Somebody's hand was in it: it is written anew.
    return null;
  }
}

/** @throws NkatError `checkpoint-damaged`, `checkpoint-gone`, `store-missing`; the system's error. What stood there before stays then. */
export async function exportBest(files: StoreFiles, layout: StoreLayout, path: string): Promise<void> {
  const checkpoint = await openCheckpoint(files, path, layout.session);
  try {
    const saved = decodeState(await checkpoint.state()) as { run?: { best?: BestValue | null }; state?: unknown };
    const metadata = metadataOf(checkpoint.manifest, saved.run?.best ?? null);
    const root = join(layout.backups, FOLDER);
    await openBackupPlace(files, layout);
    await makeDurableLevel(files, root);
    const plans = exportPlans(saved.state, checkpoint.manifest.tensors);
    const outputs: ModelOutput[] = [];
    for (const plan of plans) outputs.push(await ModelOutput.create(files, root, plan, checkpoint));
    for await (const tensor of checkpoint.tensors()) for (const output of outputs) await output.take(tensor);
    const names: string[] = [];
    for (const output of outputs) names.push(...(await output.finish(metadata)));
    const weights = plans[0]?.weights ?? 'trained';
    const before = await exportedSequence(files, layout);
    const text = `${JSON.stringify({ ...metadata, weights, files: names }, null, 2)}\n`;
    await replaceFile(files, join(root, METADATA), text);
    for (const output of outputs) await output.removeAllBut(before);
  } finally {
    await checkpoint.close();
  }
}

function metadataOf(manifest: Manifest, best: BestValue | null): BestMetadata {
  const { session, sequence, step, epoch, createdAt, tensorsDigest } = manifest;
  return {
    version: 1,
    session,
    metric: best?.metric ?? null,
    mode: best?.mode ?? null,
    value: best?.value ?? null,
    epoch,
    step,
    time: createdAt,
    sequence,
    digest: tensorsDigest,
  };
}

class ModelOutput {
  readonly #files: StoreFiles;
  readonly #directory: string;
  readonly #plan: ModelPlan;
  readonly #sequence: number;
  readonly #weightsName: string;
  readonly #writer: ChunkedWriter;
  readonly #written: { readonly name: string; readonly shape: readonly number[]; readonly dtype: string }[] = [];

  private constructor(
    files: StoreFiles,
    directory: string,
    plan: ModelPlan,
    to: { readonly sequence: number; readonly weightsName: string; readonly writer: ChunkedWriter },
  ) {
    this.#files = files;
    this.#directory = directory;
    this.#plan = plan;
    this.#sequence = to.sequence;
    this.#weightsName = to.weightsName;
    this.#writer = to.writer;
  }

  static async create(
    files: StoreFiles,
    root: string,
    plan: ModelPlan,
    { manifest }: OpenCheckpoint,
  ): Promise<ModelOutput> {
    const { sequence } = manifest;
    const directory = join(root, plan.folder);
    if (plan.folder !== '') await makeDurableLevel(files, directory);
    await cleanTemporaries(files, directory);
    const weightsName = plan.form === 'layers' ? `weights_${sequence}.bin` : `model_${sequence}.safetensors`;
    // What an export that was cut short has left.
    await removeIfAny(files, join(directory, weightsName));
    const writer = await ChunkedWriter.create(files, join(directory, weightsName), bounceBuffers(2), true);
    const output = new ModelOutput(files, directory, plan, { sequence, weightsName, writer });
    if (plan.form === 'safetensors') {
      await writer.append(planFile(manifest.tensors.filter(({ name }) => plan.tensors.has(name))).header);
    }
    return output;
  }

  async take({ name, dtype, shape, bytes }: LoadedTensor): Promise<void> {
    const exported = this.#plan.tensors.get(name);
    if (exported === undefined) return;
    this.#written.push({ name: exported, shape, dtype: DTYPES[dtype] ?? dtype });
    await this.#writer.append(bytes);
  }

  /** @returns the names of its files, from the export's folder on */
  async finish(metadata: BestMetadata): Promise<string[]> {
    await this.#writer.finish();
    await this.#files.syncDirectory(this.#directory);
    const { folder, form, topology } = this.#plan;
    const names = [this.#weightsName];
    if (form === 'layers') {
      const model = {
        format: 'layers-model',
        generatedBy: 'nkat-recover',
        convertedBy: null,
        modelTopology: topology,
        weightsManifest: [{ paths: [this.#weightsName], weights: this.#written }],
        userDefinedMetadata: metadata,
      };
      await replaceFile(this.#files, join(this.#directory, 'model.json'), `${JSON.stringify(model)}\n`);
      names.unshift('model.json');
    }
    return names.map((name) => (folder === '' ? name : `${folder}/${name}`));
  }

  /** All weights but these and the ones that stood there before, which somebody may be loading. */
  async removeAllBut(before: number | null): Promise<void> {
    // Exported once more: what stood before it is not known any more, and goes with the next one.
    if (before === this.#sequence) return;
    for (const name of await this.#files.list(this.#directory)) {
      const sequence = Number(WEIGHTS.exec(name)?.[1] ?? Number.NaN);
      // Also what is newer than those: half of a model, whose export was cut short.
      if (Number.isNaN(sequence) || sequence === this.#sequence || sequence === before) continue;
      await removeIfAny(this.#files, join(this.#directory, name));
    }
  }
}
