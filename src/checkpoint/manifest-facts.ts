/** What the store itself adds to the facts of the one who saves: the machine and the moment. */
import { freemem, hostname, totalmem } from 'node:os';
import { FORMAT_VERSION } from './manifest.ts';
import type { CheckpointFacts, Manifest, ManifestFile, ManifestTensor } from './types.ts';

export interface ManifestContent {
  readonly session: string;
  readonly claim: number;
  readonly sequence: number;
  readonly facts: CheckpointFacts;
  readonly contents: Readonly<Record<string, ManifestFile>>;
  readonly tensors: readonly ManifestTensor[];
}

/** The manifest but for the two digests that are reckoned from it. */
export function buildManifest(content: ManifestContent): Omit<Manifest, 'digest' | 'tensorsDigest'> {
  const { session, claim, sequence, facts, contents, tensors } = content;
  return {
    format: 'nkat-checkpoint',
    version: FORMAT_VERSION,
    session,
    attempt: facts.attempt,
    claim,
    sequence,
    step: facts.step,
    epoch: facts.epoch,
    kinds: facts.kinds,
    reason: facts.reason,
    parent: facts.parent,
    createdAt: new Date().toISOString(),
    host: hostname(),
    gpu: facts.gpu ?? null,
    driver: facts.driver ?? null,
    backend: facts.backend,
    versions: facts.versions,
    trainer: facts.trainer,
    // JSON has no NaN and no infinity; a metric that is none of the numbers is left out rather than turned to null.
    metrics: Object.fromEntries(Object.entries(facts.metrics).filter(([, value]) => Number.isFinite(value))),
    memory: {
      systemTotalBytes: totalmem(),
      systemFreeBytes: freemem(),
      processRssBytes: process.memoryUsage.rss(),
      ...facts.memory,
    },
    files: contents,
    tensors,
  };
}
