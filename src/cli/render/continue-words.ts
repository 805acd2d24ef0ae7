/** The question before a session is continued. */
import type { Manifest } from '../../checkpoint/types.ts';
import type { LocatedSession } from '../located-session.ts';
import { aboutAge } from './quantities.ts';

export interface ContinueFacts {
  readonly session: Pick<LocatedSession, 'row' | 'present'>;
  readonly checkpoint: Pick<Manifest, 'sequence' | 'epoch' | 'step' | 'createdAt'> | null;
  /** Path of the trainer where its source changed since the last launch; null: it did not. */
  readonly changedTrainer: string | null;
  /** Wall clock, in ms. */
  readonly now: number;
}

export function continueQuestion({ session, checkpoint, changedTrainer, now }: ContinueFacts): string {
  const name = session.row.name === null ? '' : ` "${session.row.name}"`;
  const changed = changedTrainer === null ? '' : `${changedTrainer} has changed since the session last ran.\n`;
  const id = `${session.row.id}${name}`;
  if (session.present.state === 'orphaned') {
    return `${changed}Session ${id} is still training without a supervisor. Take it over?`;
  }
  if (checkpoint === null) return `${changed}Continue session ${id}, which has no checkpoint yet?`;
  const { sequence, epoch, step, createdAt } = checkpoint;
  const age = aboutAge(now - Date.parse(createdAt));
  return `${changed}Continue session ${id} from epoch ${epoch}, step ${step} (checkpoint ${sequence}, ${age} ago)?`;
}
