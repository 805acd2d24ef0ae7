/** Damage as a sentence for people. */
import type { Damage } from './types.ts';

const SHOWN_DAMAGES = 3;
const SHOWN_TENSORS = 3;

/** One line that names files, chunks and tensors; long lists are cut. */
export function describeDamages(damages: readonly Damage[]): string {
  const shown = damages.slice(0, SHOWN_DAMAGES).map(describeDamage);
  return [...shown, ...rest(damages.length - SHOWN_DAMAGES, 'more problems')].join('; ');
}

function describeDamage({ file, reason, tensors }: Damage): string {
  const where = file === null ? '' : `${file}: `;
  if (tensors.length === 0) return `${where}${reason}`;
  const names = tensors.slice(0, SHOWN_TENSORS).map((name) => JSON.stringify(name));
  return `${where}${reason} (tensors ${[...names, ...rest(tensors.length - SHOWN_TENSORS, 'more')].join(', ')})`;
}

function rest(count: number, what: string): string[] {
  return count > 0 ? [`${count} ${what}`] : [];
}
