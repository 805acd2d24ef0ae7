/** The wall clock: the order of sessions, ages and schedules read it. Training and checkpoints do not depend on it. */
import { type Finding, note, ok, warning } from '../finding.ts';

export interface ClockFacts {
  readonly now: Date;
  /** When the session database was last written; null: it is not there. */
  readonly lastWrite: Date | null;
  /** Null: nobody can be asked. */
  readonly synchronized: boolean | null;
}

const SLACK_MS = 60_000;
const SET = 'sudo timedatectl set-ntp true';

export function checkClock({ now, lastWrite, synchronized }: ClockFacts): Finding {
  const shown = now.toISOString();
  if (lastWrite !== null && lastWrite.getTime() > now.getTime() + SLACK_MS) {
    const words = `It stands at ${shown}, before what was last written (${lastWrite.toISOString()}): it was set back.`;
    return warning('clock', words, SET);
  }
  if (synchronized === true) return ok('clock', `${shown}, synchronized`);
  if (synchronized === false) {
    return warning('clock', `${shown}, not synchronized with any server: ages and schedules may be wrong.`, SET);
  }
  return note('clock', `${shown}; whether it is synchronized cannot be told here.`);
}
