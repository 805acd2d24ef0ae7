import { join } from 'node:path';
import { nodeFiles } from '../../checkpoint/files.ts';
import { listSession } from '../../checkpoint/list.ts';
import type { CheckpointEntry } from '../../checkpoint/types.ts';
import type { CheckpointRow } from '../../sessions/types.ts';
import { listSnapshots } from '../../supervisor/snapshots/snapshot-files.ts';
import type { CommandContext } from '../context.ts';
import type { JsonFlag } from '../flags.ts';
import { type LocatedSession, locateSession } from '../located-session.ts';
import { withReadableIndex } from '../open-index.ts';
import { cardCurves, curveJson } from '../render/card-curves.ts';
import { paintWith } from '../render/paint.ts';
import { attemptJson, sessionJson } from '../render/session-json.ts';
import { type ShownCheckpoint, showLines } from '../render/show-words.ts';
import { resolveSession } from '../resolve-session.ts';
import { ownWatch } from '../session-state.ts';

/** `show`: one session with its attempts and what is left of its checkpoints, newest first. */
export function show(word: string, flags: JsonFlag, context: CommandContext): Promise<number> {
  return withReadableIndex(context, async (database) => {
    const session = await locateSession(nodeFiles, await resolveSession(nodeFiles, database, word), ownWatch());
    const attempts = database.attempts.ofSession(session.row.id);
    const checkpoints = shownCheckpoints(
      await listSession(nodeFiles, session.layout),
      database.checkpoints.ofSession(session.row.id),
      session,
    );
    const snapshots = await listSnapshots(join(context.home.logs, session.row.id));
    const curves = cardCurves(database.gpuSamples.ofSession(session.row.id));
    const { streams, terminal, clocks } = context;
    if (flags.json === true) {
      const { directory, backups } = session.layout;
      const json = {
        version: 1,
        session: { ...sessionJson(session), directory, backups },
        attempts: attempts.map(attemptJson),
        checkpoints,
        snapshots,
        gpus: curves.map(curveJson),
      };
      streams.out(`${JSON.stringify(json)}\n`);
    } else {
      const facts = { session, attempts, checkpoints, snapshots, curves, now: clocks.now() };
      streams.out(`${showLines(facts, terminal.columnsOut(), paintWith(terminal.colourOut)).join('\n')}\n`);
    }
    return 0;
  });
}

/** What the directory holds counts; the index adds what is in quarantine. */
function shownCheckpoints(
  entries: readonly CheckpointEntry[],
  rows: readonly CheckpointRow[],
  { file }: LocatedSession,
): ShownCheckpoint[] {
  const setAside = new Set(file?.setAside.map(({ sequence }) => sequence));
  const present = entries.flatMap((entry) => {
    if (entry.manifest === null) return [unreadable(entry)];
    const { sequence, step, epoch, kinds, reason, files, createdAt, tensorsDigest, metrics } = entry.manifest;
    const bytes = Object.values(files).reduce((sum, part) => sum + part.bytes, 0);
    const state = setAside.has(sequence) ? 'set-aside' : entry.verified ? 'verified' : 'durable';
    return [
      {
        sequence,
        step,
        epoch,
        kinds,
        reason,
        state,
        bytes,
        createdAt,
        digest: tensorsDigest,
        path: entry.path,
        metrics,
      },
    ];
  });
  const known = new Set(present.map(({ sequence }) => sequence));
  const quarantined = rows
    .filter(({ state, sequence }) => state === 'quarantined' && !known.has(sequence))
    .map(({ sequence, step, epoch, kinds, reason, state, bytes, createdAt, digest, path, metrics }) => {
      return { sequence, step, epoch, kinds, reason, state, bytes, createdAt, digest, path, metrics };
    });
  return [...present, ...quarantined].sort((a, b) => b.sequence - a.sequence);
}

/** A folder whose manifest cannot be read: it is listed all the same, `verify` says what is wrong with it. */
function unreadable({ sequence, step, path }: CheckpointEntry): ShownCheckpoint {
  const nothing = { epoch: null, kinds: [], reason: null, bytes: null, createdAt: null, digest: null, metrics: {} };
  return { sequence, step, path, state: 'no-manifest', ...nothing };
}
