/** The promises of the store, looked for on a disk that lost its power. Every name here stands in docs/durability.md. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '../../src/checkpoint/files.ts';
import { type StoreLayout, storeLayout } from '../../src/checkpoint/layout.ts';
import { listSession } from '../../src/checkpoint/list.ts';
import { listQuarantine } from '../../src/checkpoint/quarantine.ts';
import type { Manifest } from '../../src/checkpoint/types.ts';
import { verifyCheckpoint } from '../../src/checkpoint/verify.ts';
import type { Violation } from '../torture/scenario.ts';
import type { Acknowledged } from './acknowledged.ts';
import { lateWords, seenCommits } from './seen-commits.ts';

export interface DiskLook {
  readonly violations: readonly Violation[];
  /** Whole checkpoints, newest first. */
  readonly whole: readonly Manifest[];
}

export interface LookRequest {
  /** The session's directory, as we see it. */
  readonly directory: string;
  readonly session: string;
  readonly acknowledged: Acknowledged;
  /** `--keep` of the run. */
  readonly keep: number;
  /** Whether the undisturbed run had this at that step; null: nothing is known of that step. */
  readonly knows: (step: number, digest: string) => boolean | null;
}

export async function lookAtDisk(request: LookRequest): Promise<DiskLook> {
  const { directory, session } = request;
  const violations: Violation[] = [];
  const layout: StoreLayout = storeLayout(join(directory, '..'), join(directory, '..', '..', 'backups'), session);
  const whole: Manifest[] = [];
  for (const entry of await listSession(nodeFiles, layout)) {
    const verdict = await verifyCheckpoint(nodeFiles, entry.path, { session, level: 2 });
    if (verdict.status === 'verified') whole.push(verdict.manifest);
    else {
      const words = verdict.status === 'damaged' ? JSON.stringify(verdict.damages) : JSON.stringify(verdict);
      const detail = `${entry.path} bears the name of a checkpoint and does not verify: ${words.slice(0, 400)}`;
      violations.push({ invariant: 'complete-or-absent', detail });
    }
  }
  for (const { path, reason } of await listQuarantine(nodeFiles, layout)) {
    violations.push({ invariant: 'complete-or-absent', detail: `${path} was quarantined: ${reason}` });
  }
  const compared = compare(request, whole);
  if (!compared.some(({ invariant }) => invariant === 'one-owner')) {
    const late = seenCommits(directory).flatMap((commit) => lateWords(commit) ?? []);
    violations.push(...late.map((detail) => ({ invariant: 'one-owner', detail })));
  }
  return { violations: [...violations, ...compared], whole };
}

/** Pure: what was said against what is there. */
export function compare({ acknowledged, keep, knows }: LookRequest, whole: readonly Manifest[]): Violation[] {
  const violations: Violation[] = [];
  const found = new Map(whole.map((manifest) => [manifest.sequence, manifest]));
  for (const sequence of acknowledged.reused) {
    violations.push({
      invariant: 'number-used-once',
      detail: `sequence ${sequence} was acknowledged for two contents`,
    });
  }
  // One that is there but was not reported yet takes a place of those that are kept.
  const sequences = [...new Set([...found.keys(), ...acknowledged.all.map(({ sequence }) => sequence)])].sort(
    (a, b) => b - a,
  );
  const kept = new Set(sequences.slice(0, Math.max(keep, 2)));
  const newestBest = acknowledged.all.filter(({ kinds }) => kinds.includes('best')).at(-1);
  const laterBest = whole.some(
    ({ kinds, sequence }) => kinds.includes('best') && sequence > (newestBest?.sequence ?? 0),
  );
  for (const said of acknowledged.all) {
    const manifest = found.get(said.sequence);
    const mustStay = kept.has(said.sequence) || (said === newestBest && !laterBest);
    if (manifest === undefined && mustStay) {
      const detail = `checkpoint ${said.sequence} (step ${said.step}) was reported durable and is gone; there are ${[...found.keys()].join(', ') || 'none'}`;
      violations.push({ invariant: 'acknowledged-is-there', detail });
    }
    if (manifest !== undefined && manifest.tensorsDigest !== said.digest) {
      const detail = `checkpoint ${said.sequence} holds ${manifest.tensorsDigest}; reported was ${said.digest}`;
      violations.push({ invariant: 'acknowledged-is-the-same', detail });
    }
  }
  for (const { sequence, step, tensorsDigest } of whole) {
    if (knows(step, tensorsDigest) !== false) continue;
    const detail = `checkpoint ${sequence} of step ${step} is not what the undisturbed run had at that step`;
    violations.push({ invariant: 'resumed-equals-uninterrupted', detail });
  }
  const inOrder = [...whole].sort((a, b) => a.sequence - b.sequence);
  for (const [index, { claim, sequence }] of inOrder.entries()) {
    const before = inOrder[index - 1];
    if (before !== undefined && before.claim > claim) {
      const detail = `checkpoint ${sequence} was committed under claim ${claim}, after ${before.sequence} under claim ${before.claim}`;
      violations.push({ invariant: 'one-owner', detail });
    }
  }
  return violations;
}

/** Numbers of the commits that are being made. */
export function stagedSequences(directory: string): number[] {
  try {
    return readdirSync(join(directory, '.staging')).flatMap((name) => {
      const digits = /^commit_(\d+)_/.exec(name)?.[1];
      return digits === undefined ? [] : [Number(digits)];
    });
  } catch {
    // There is none yet, or the disk is gone.
    return [];
  }
}
