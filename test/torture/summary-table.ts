/** The end of a torture run, as a table that can be pasted into docs/durability.md. */
import type { Total } from './run-cases.ts';

export interface SummaryRequest {
  readonly total: Total;
  readonly seed: number;
  readonly seconds: number;
}

export function summaryTable({ total, seed, seconds }: SummaryRequest): string {
  const rows = [
    ['seed', String(seed)],
    ['cases', String(total.cases)],
    ...Object.entries(total.counts).map(([word, count]) => [word, String(count)]),
    ['minutes', (seconds / 60).toFixed(1)],
    ['violated promises', String(total.findings.length)],
  ];
  const left = Math.max(...rows.map(([word = '']) => word.length));
  const right = Math.max(...rows.map(([, value = '']) => value.length));
  const lines = rows.map(([word = '', value = '']) => `| ${word.padEnd(left)} | ${value.padStart(right)} |`);
  const again = [...new Set(total.findings.map(({ id }) => id))].map((id) => `again: npm run torture -- --case ${id}`);
  return `${['', ...lines, ...again].join('\n')}\n`;
}
