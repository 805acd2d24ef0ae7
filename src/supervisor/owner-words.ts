/** Who holds a session, and how that is ended well, in words. */
import type { Owner } from '../checkpoint/types.ts';

/** What to do about an owner that is alive on this machine. */
export function stopWords(session: string, { role, pid }: Pick<Owner, 'role' | 'pid'>): string {
  if (role === 'alone') return `It saves and stops on a signal: kill -INT ${pid}.`;
  return `Watch it: nkat-recover logs -f ${session}. Stop it with a save: nkat-recover stop ${session}.`;
}
