/** Carries out `confirm-checkpoint`: the outcome is only as good as the checkpoint behind it. */
import { listCheckpoints } from '../checkpoint/list.ts';
import type { Verdict } from '../checkpoint/types.ts';
import { verifyCheckpoint } from '../checkpoint/verify.ts';
import type { Happening } from './machine/event.ts';
import type { SessionContext } from './session-context.ts';
import { whileReading } from './while-reading.ts';

export async function confirm(context: SessionContext, sequence: number): Promise<Happening> {
  const { files, layout } = context;
  const entry = (await listCheckpoints(files, layout)).find((found) => found.sequence === sequence);
  if (entry === undefined) return { type: 'confirmation', verified: false, reason: 'it is not there' };
  const { step } = entry;
  const verdict = await whileReading(context, (onReading) =>
    verifyCheckpoint(files, entry.path, {
      session: layout.session,
      level: 2,
      onRead: (readBytes, totalBytes) => onReading({ sequence, step, readBytes, totalBytes }),
    }),
  );
  return { type: 'confirmation', verified: verdict.status === 'verified', reason: reasonOf(verdict) };
}

function reasonOf(verdict: Verdict): string {
  switch (verdict.status) {
    case 'verified':
      return '';
    case 'damaged':
      return verdict.damages[0]?.reason ?? 'it is damaged';
    case 'gone':
      return 'it is gone';
    case 'unreadable':
    case 'newer-format':
      return verdict.reason;
    default:
      throw new TypeError(`no such verdict: ${JSON.stringify(verdict satisfies never)}`);
  }
}
