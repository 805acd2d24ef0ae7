/** `session.json` once more, from what else knows of the session. Pure. */
import { basename, dirname } from 'node:path';
import { newSessionFile } from '../checkpoint/session-file.ts';
import type { CheckpointEntry, SessionFile, SessionIdentity } from '../checkpoint/types.ts';
import type { SessionRow } from '../sessions/types.ts';
import { FRESH_BUDGET } from '../words.ts';

export interface Known {
  readonly directory: string;
  /** Newest first. */
  readonly entries: readonly CheckpointEntry[];
  /** What the index says; null: it was lost too. */
  readonly row: SessionRow | null;
  /** Where its backups would be if nothing says otherwise. */
  readonly backups: string;
  readonly token: string;
  readonly now: Date;
}

export interface Rebuilt {
  readonly file: SessionFile;
  /** What nothing knows any more, in words. */
  readonly lost: readonly string[];
}

/** Null where neither a checkpoint nor the index says which trainer the session is of. */
export function rebuildRecord({ directory, entries, row, backups, token, now }: Known): Rebuilt | null {
  const id = basename(directory);
  const manifests = entries.flatMap(({ manifest }) => (manifest?.session === id ? [manifest] : []));
  const trainer = manifests.find((manifest) => manifest.trainer !== null)?.trainer ?? null;
  const identity = identityOf(row, trainer);
  if (identity === null) return null;
  const sequences = entries.map(({ sequence }) => sequence);
  const newest = manifests.reduce<(typeof manifests)[number] | null>(
    (best, manifest) => (best === null || manifest.sequence > best.sequence ? manifest : best),
    null,
  );
  const lastStep = Math.max(0, row?.step ?? 0, ...manifests.map(({ step }) => step));
  const fresh = newSessionFile({
    ...{ id, identity, token, now, sourceDigest: row?.sourceDigest ?? trainer?.sourceDigest ?? null },
    backups: row === null || row.backups === '' ? backups : row.backups,
  });
  const oldest = manifests.map(({ createdAt }) => createdAt).sort()[0];
  const file: SessionFile = {
    ...fresh,
    // How it ended is not known: it can be continued, and is never taken for complete.
    state: row === null || row.state === 'running' ? 'crashed' : row.state,
    createdAt: row?.createdAt ?? oldest ?? fresh.createdAt,
    attempts: Math.max(row?.attempts ?? 0, ...manifests.map(({ attempt }) => attempt)),
    lastCommit: sequences.length === 0 ? null : { sequence: Math.max(...sequences), step: newest?.step ?? 0 },
    lastStep,
    budget: row?.budget ?? FRESH_BUDGET,
  };
  const lost = [
    'which checkpoints were set aside',
    'the process of its last worker',
    ...(row === null
      ? ['its name', 'how it ended', 'its count of restarts', 'its working folder (that of the trainer is taken)']
      : []),
  ];
  return { file, lost };
}

function identityOf(
  row: SessionRow | null,
  trainer: { path: string; args: readonly string[] } | null,
): SessionIdentity | null {
  if (row !== null && row.trainer !== '') return { cwd: row.cwd, trainer: row.trainer, args: row.args, name: row.name };
  if (trainer === null) return null;
  return { cwd: dirname(trainer.path), trainer: trainer.path, args: trainer.args, name: null };
}
