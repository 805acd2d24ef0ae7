/** What the checkpoints of one trainer agree on, so that one which differs can be told. */
import type { Manifest } from '../checkpoint/types.ts';
import { signatureOf } from './checks.ts';
import type { StateFacts } from './state-facts.ts';

export interface FamilyMember {
  readonly path: string;
  readonly manifest: Manifest;
  readonly facts: StateFacts;
}

/**
 * For each member, by path, the tensors that most members of the same trainer, source and arguments hold; of two that are
 * held equally often the fuller set counts, for what is missing is what goes wrong. Alone in its family: absent.
 */
export function expectedTensors(members: readonly FamilyMember[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const families = new Map<string, FamilyMember[]>();
  for (const member of members) {
    const key = JSON.stringify([member.manifest.trainer, member.manifest.backend]);
    families.set(key, [...(families.get(key) ?? []), member]);
  }
  const expected = new Map<string, ReadonlyMap<string, string>>();
  for (const family of families.values()) {
    const common = mostCommon(family.map(({ manifest, facts }) => signatureOf(manifest, facts)));
    if (common === null || family.length < 2) continue;
    for (const { path } of family) expected.set(path, common);
  }
  return expected;
}

function mostCommon(signatures: readonly ReadonlyMap<string, string>[]): ReadonlyMap<string, string> | null {
  const counted = new Map<string, { readonly signature: ReadonlyMap<string, string>; count: number }>();
  for (const signature of signatures) {
    const key = JSON.stringify([...signature].sort(([a], [b]) => (a < b ? -1 : 1)));
    const seen = counted.get(key);
    if (seen === undefined) counted.set(key, { signature, count: 1 });
    else seen.count += 1;
  }
  const [first] = [...counted.values()].sort((a, b) => b.count - a.count || b.signature.size - a.signature.size);
  return first?.signature ?? null;
}
