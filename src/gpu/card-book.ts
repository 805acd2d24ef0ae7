/** Which card a row is of, also when the card no longer tells its UUID. */
import { type AbsentReason, isGone } from './absent.ts';
import type { GpuSample } from './sample.ts';

export interface Card {
  /** Its UUID, or `index:<n>` or `bus:<id>` of one that never told it. */
  readonly key: string;
  readonly sample: GpuSample;
}

/** Newest row of each card, in the order in which they were seen first. */
export type CardBook = readonly Card[];

export function keepRow(book: CardBook, sample: GpuSample): { readonly book: CardBook; readonly key: string } {
  const key = sample.values.uuid ?? keyOfPlace(book, sample);
  const card: Card = { key, sample };
  // One that told no UUID when it was seen first, since it was lost, may tell it now.
  const before = book.find((each) => each.key === key) ?? book.find((each) => namelessKeys(sample).includes(each.key));
  return { key, book: before === undefined ? [...book, card] : book.map((each) => (each === before ? card : each)) };
}

/** What a card at this place is called while it tells no UUID. */
export function namelessKeys({ values: { index, busId } }: GpuSample): readonly string[] {
  return [`index:${index}`, `bus:${busId}`];
}

/** Rows of the same place as one that came before. */
function keyOfPlace(book: CardBook, { values }: GpuSample): string {
  const { index, busId } = values;
  const before = book.find(
    ({ sample }) =>
      (busId !== null && sample.values.busId === busId) || (index !== null && sample.values.index === index),
  );
  if (before !== undefined) return before.key;
  return busId !== null ? `bus:${busId}` : `index:${index}`;
}

export type CardFault =
  | { readonly kind: 'lost' | 'reset-required'; readonly words: string }
  | { readonly kind: 'recovery-action'; readonly action: string; readonly words: string }
  | { readonly kind: 'row-missing'; readonly words: string }
  | { readonly kind: 'bad-memory'; readonly words: string };

/** What is wrong with one card by its own row. `None` and silence are no fault. */
export function faultsOf({ values, absent }: GpuSample): CardFault[] {
  const faults: CardFault[] = [];
  const gone = Object.values(absent).find((reason: AbsentReason) => isGone(reason));
  if (gone === 'lost') faults.push({ kind: 'lost', words: 'it is lost: it has fallen off the bus' });
  if (gone === 'reset-required') faults.push({ kind: 'reset-required', words: 'it needs a reset' });
  const action = values.recoveryAction;
  if (action !== null && action !== 'None') {
    faults.push({ kind: 'recovery-action', action, words: `the driver recommends: ${action}` });
  }
  if (values.rowRemapFailed === true) {
    faults.push({ kind: 'bad-memory', words: 'bad memory rows could not be taken out of use' });
  }
  return faults;
}

/** Other cards give rows, this one does not. @param patienceMs five periods */
export function missingRow(sample: GpuSample, nowMs: number, patienceMs: number): CardFault | null {
  const forMs = nowMs - sample.atMs;
  if (forMs < patienceMs) return null;
  return { kind: 'row-missing', words: `nvidia-smi gives no row of it any more, for ${Math.round(forMs / 1000)} s` };
}
