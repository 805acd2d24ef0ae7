/**
 * Which cards a worker uses: what CUDA makes of `CUDA_VISIBLE_DEVICES`. Source: CUDA C++ Programming Guide, "CUDA environment
 * variables", and the MIG User Guide for the names of instances.
 */

export interface CardIdentity {
  readonly index: number;
  readonly uuid: string;
  readonly name: string;
  /** UUIDs of the MIG instances on it. */
  readonly instances?: readonly string[];
}

export interface VisibleCards {
  /** UUIDs, in the order in which the worker counts them. A MIG instance stands for the card that it is a part of. */
  readonly uuids: readonly string[];
  /** MIG instances among them. */
  readonly instances: readonly string[];
  /** Why this may not be what CUDA sees; null: it is. */
  readonly doubt: string | null;
}

/** @param cards in the order of nvidia-smi, which is that of the PCI bus */
export function chooseVisible(
  cards: readonly CardIdentity[],
  environment: Readonly<Record<string, string | undefined>>,
): VisibleCards {
  const asked = environment.CUDA_VISIBLE_DEVICES;
  if (asked === undefined) return { uuids: cards.map(({ uuid }) => uuid), instances: [], doubt: null };
  const uuids: string[] = [];
  const instances: string[] = [];
  let numbered = false;
  for (const entry of asked.split(',').map((each) => each.trim())) {
    const found = findCard(cards, entry);
    // CUDA stops at the first entry that names nothing: whatever stands behind a -1 is hidden.
    if (found === null) break;
    numbered ||= /^\d+$/.test(entry);
    if (!uuids.includes(found.card.uuid)) uuids.push(found.card.uuid);
    if (found.instance !== null) instances.push(found.instance);
  }
  return { uuids, instances, doubt: numbered ? doubtOfNumbers(cards, environment, uuids) : null };
}

interface Found {
  readonly card: CardIdentity;
  readonly instance: string | null;
}

function findCard(cards: readonly CardIdentity[], entry: string): Found | null {
  if (/^\d+$/.test(entry)) return only(cards.filter(({ index }) => index === Number(entry)));
  if (entry.startsWith('GPU-')) return only(cards.filter(({ uuid }) => uuid.startsWith(entry)));
  if (!entry.startsWith('MIG-')) return null;
  // Drivers before 470 name an instance by its card: MIG-GPU-<uuid>/<GPU instance>/<compute instance>.
  const old = /^MIG-(GPU-[^/]+)\/\d+\/\d+$/.exec(entry)?.[1];
  if (old !== undefined)
    return only(
      cards.filter(({ uuid }) => uuid === old),
      entry,
    );
  const holders = cards.filter(({ instances = [] }) => instances.some((each) => each.startsWith(entry)));
  const instance = holders[0]?.instances?.find((each) => each.startsWith(entry));
  return only(holders, instance ?? entry);
}

/** A prefix that fits two cards names none. */
function only(cards: readonly CardIdentity[], instance: string | null = null): Found | null {
  const [card, another] = cards;
  return card === undefined || another !== undefined ? null : { card, instance };
}

/** CUDA counts the fastest card as 0 unless told otherwise, nvidia-smi counts along the bus; between equal cards both agree. */
function doubtOfNumbers(
  cards: readonly CardIdentity[],
  environment: Readonly<Record<string, string | undefined>>,
  uuids: readonly string[],
): string | null {
  if (environment.CUDA_DEVICE_ORDER === 'PCI_BUS_ID') return null;
  const allChosen = cards.every(({ uuid }) => uuids.includes(uuid));
  if (allChosen || new Set(cards.map(({ name }) => name)).size < 2) return null;
  return 'CUDA counts different cards by speed, nvidia-smi by their place on the bus: set CUDA_DEVICE_ORDER=PCI_BUS_ID, or name the card by its UUID';
}
