/** Checkpoints as they stand there, by their manifests alone: cheap enough to look at each while it is still new. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OWNERS, parseCheckpointName } from '../../src/checkpoint/layout.ts';
import { MANIFEST_FILE } from '../../src/checkpoint/manifest.ts';

/** Of the metric history: as many rows as steps. */
const HISTORY = 'history/step/loss';

export interface SeenCommit {
  readonly sequence: number;
  readonly step: number;
  readonly claim: number;
  /**
   * A higher claim that stood there before the manifest was written, by the kernel's own times, which know nothing of a fake
   * clock; null: none. A commit looks for claims after its manifest, so it must not have been given its name.
   */
  readonly superseding: number | null;
  /** Steps in its metric history. */
  readonly historyRows: number;
}

/** @param known names of checkpoints that were looked at before; the ones that are looked at now are added */
export function seenCommits(directory: string, known: Set<string> = new Set()): SeenCommit[] {
  const found: SeenCommit[] = [];
  for (const name of namesIn(directory)) {
    const sequence = parseCheckpointName(name)?.sequence;
    if (sequence === undefined || known.has(name)) continue;
    const read = manifestOf(join(directory, name, MANIFEST_FILE));
    if (read === null) continue;
    known.add(name);
    const { manifest, writtenNs } = read;
    const { claim, step, tensors } = manifest;
    // A link changes this time of a claim's file, and the removal of its first name once more: it is never too early.
    const superseding = claimsOf(directory).find((one) => one.claim > claim && one.thereNs < writtenNs)?.claim ?? null;
    const historyRows = tensors.find((tensor) => tensor.name === HISTORY)?.shape[0] ?? 0;
    found.push({ sequence, step, claim, superseding, historyRows });
  }
  return found;
}

/** Null: its owner had not been superseded when it was committed. */
export function lateWords({ sequence, claim, superseding }: SeenCommit): string | null {
  if (superseding === null) return null;
  return `checkpoint ${sequence} was committed under claim ${claim}, when claim ${superseding} stood there already`;
}

function claimsOf(directory: string): { claim: number; thereNs: bigint }[] {
  const owners = join(directory, OWNERS);
  return namesIn(owners).flatMap((name) => {
    const digits = /^(\d+)\.json$/.exec(name)?.[1];
    const facts = statSync(join(owners, name), { bigint: true, throwIfNoEntry: false });
    return digits === undefined || facts === undefined ? [] : [{ claim: Number(digits), thereNs: facts.ctimeNs }];
  });
}

interface ManifestText {
  readonly claim: number;
  readonly step: number;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

/** Null: it was rotated away while we looked, or is damaged, which others see. */
function manifestOf(path: string): { manifest: ManifestText; writtenNs: bigint } | null {
  try {
    return { manifest: JSON.parse(readFileSync(path, 'utf8')), writtenNs: statSync(path, { bigint: true }).mtimeNs };
  } catch {
    return null;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
