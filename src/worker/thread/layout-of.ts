/** Where the session of a welcome lies; its two folders come whole, so the roots are theirs. */
import type { StoreLayout } from '../../checkpoint/layout.ts';
import type { SessionFacts } from './messages.ts';

export function layoutOf({ session, directory, backups }: SessionFacts): StoreLayout {
  return { session, directory, backups };
}
