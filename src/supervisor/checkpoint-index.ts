/**
 * Keeps the index true to the directory: what is committed while the channel is down is indexed when it appears, what
 * was rotated away is marked removed.
 */
import { listCheckpoints } from '../checkpoint/list.ts';
import type { Manifest } from '../checkpoint/types.ts';
import { CheckpointWatch } from './checkpoint-watch.ts';
import type { Happening } from './machine/event.ts';
import { progressOf } from './machine/restart-policy.ts';
import type { SessionContext } from './session-context.ts';

export interface CheckpointIndexing {
  close(): Promise<void>;
}

export function watchCheckpoints(
  context: SessionContext,
  dispatch: (happening: Happening) => void,
): CheckpointIndexing {
  const { tell, layout } = context;
  let scanning: Promise<void> = Promise.resolve();
  const scan = (): void => {
    scanning = scanning
      .then(() => indexDirectory(context, dispatch))
      .catch((error: unknown) => {
        const words = error instanceof Error ? error.message : String(error);
        tell({ name: 'notice', level: 'warning', message: `could not list the checkpoints: ${words}` });
      });
  };
  const onProblem = (message: string): void => tell({ name: 'notice', level: 'warning', message });
  const watch = new CheckpointWatch({ directory: layout.directory, onChange: scan, onProblem });
  return {
    async close() {
      await watch.close();
      await scanning;
      // Rotation runs behind the last save: what it removed after the last look is seen now.
      await indexDirectory(context, () => undefined);
    },
  };
}

type Verified = Pick<Manifest, 'sequence' | 'step' | 'kinds'>;

async function indexDirectory(context: SessionContext, dispatch: (happening: Happening) => void): Promise<void> {
  const { files, layout, index, record } = context;
  // Taken before the look: a commit that comes in between must not be taken for a removal.
  const expected = index.present();
  const present = new Set<number>();
  let highest: Verified | null = null;
  let highestRegular: Verified | null = null;
  for (const { manifest, path, verified, place } of await listCheckpoints(files, layout)) {
    if (manifest === null || place !== 'session') continue;
    present.add(manifest.sequence);
    record.noteCommit(manifest.sequence, manifest.step);
    if (!index.knows(manifest.sequence, verified))
      await index.noteFound(manifest, path, verified ? 'verified' : 'durable');
    if (!verified) continue;
    if (manifest.step > (highest?.step ?? -1)) highest = manifest;
    if (manifest.step > (highestRegular?.step ?? -1) && progressOf(manifest.kinds) === 'regular')
      highestRegular = manifest;
  }
  // The regular one first: after the other it would be no progress any more.
  for (const found of new Set([highestRegular, highest])) {
    if (found === null) continue;
    const { sequence, step, kinds } = found;
    dispatch({ type: 'checkpoint-verified', sequence, step, kinds });
  }
  for (const sequence of expected) if (!present.has(sequence)) await index.setCheckpointState(sequence, 'removed');
}
