/** The known word that a person most likely meant. */

/** Words longer than this are no slips of known ones, and the table below must stay small. */
const LONGEST = 64;

/**
 * The candidate with the fewest slips (a letter too much, too few, another, or two swapped), if they are few for the
 * length of the word. Case, `-` and `_` count nothing.
 */
export function nearestWord(word: string, candidates: readonly string[]): string | null {
  const wanted = folded(word);
  if (wanted.length === 0 || wanted.length > LONGEST) return null;
  let best: string | null = null;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const slips = slipsBetween(wanted, folded(candidate));
    if (slips < least) [best, least] = [candidate, slips];
  }
  return best;
}

function folded(word: string): string {
  return word.toLowerCase().replaceAll(/[-_\s]/g, '');
}

/** Optimal string alignment distance: Levenshtein with neighbours swapped as one slip. */
function slipsBetween(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    [before, above] = [above, row];
  }
  return above[b.length] ?? 0;
}
