/** The database after cuts: it opens, and says of the checkpoints what the directories say. */
import { basename } from 'node:path';
import type { Violation } from '../torture/scenario.ts';

interface Shown {
  readonly session: { readonly state: string };
  readonly checkpoints: readonly { readonly sequence: number; readonly state: string; readonly path: string }[];
}

/** Words of `show` for a checkpoint that is no longer there. */
const GONE: ReadonlySet<string> = new Set(['gone', 'removed', 'rotated', 'quarantined', 'damaged']);

/** @param shown output of `show --json` @param names what stands in the session's directory */
export function indexViolations(shown: string, names: readonly string[]): Violation[] {
  let facts: Shown;
  try {
    facts = JSON.parse(shown) as Shown;
  } catch {
    return [{ invariant: 'database-agrees', detail: `show says ${JSON.stringify(shown.slice(0, 300))}` }];
  }
  const listed = facts.checkpoints.filter(({ state }) => !GONE.has(state)).map(({ path }) => basename(path));
  const there = names.filter((name) => name.startsWith('checkpoint_'));
  const missing = there.filter((name) => !listed.includes(name));
  const invented = listed.filter((name) => name.startsWith('checkpoint_') && !there.includes(name));
  const violations: Violation[] = [];
  const violate = (detail: string): number => violations.push({ invariant: 'database-agrees', detail });
  if (missing.length > 0) violate(`not in the database: ${missing.join(', ')}`);
  if (invented.length > 0) violate(`in the database and not there: ${invented.join(', ')}`);
  if (facts.session.state !== 'completed') violate(`the session is called ${facts.session.state}`);
  return violations;
}
