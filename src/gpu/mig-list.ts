/** The MIG instances of each card. Only `nvidia-smi -L` tells their UUIDs. Source of the form: the MIG User Guide. */

const CARD = /^GPU (\d+): .*\(UUID: (GPU-[^)]+)\)\s*$/;
const INSTANCE = /^\s+MIG .*\(UUID: (MIG-[^)]+)\)\s*$/;

/** UUIDs of the instances, by that of their card. Cards without any are left out. */
export function readMigList(text: string): ReadonlyMap<string, readonly string[]> {
  const instances = new Map<string, string[]>();
  let card: string | null = null;
  for (const line of text.split(/\r?\n/)) {
    card = CARD.exec(line)?.[2] ?? card;
    const instance = INSTANCE.exec(line)?.[1];
    if (card !== null && instance !== undefined) instances.set(card, [...(instances.get(card) ?? []), instance]);
  }
  return instances;
}
