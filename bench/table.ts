/** The result as a table for people; every line stands for one promise of the project. */
import type { MachineFacts } from './machine.ts';
import type { Summary } from './measure.ts';

export function renderTable(machine: MachineFacts, rows: readonly Summary[]): string {
  const head = ['measure', 'median', 'best', 'reference', 'median', 'best', 'pairs', 'ratio', 'target', ''];
  const body = rows.map((row) => [
    row.name,
    quantity(row.median, row.unit),
    quantity(row.best, row.unit),
    row.reference ?? '-',
    row.referenceMedian === null ? '' : quantity(row.referenceMedian, row.unit),
    row.referenceBest === null ? '' : quantity(row.referenceBest, row.unit),
    String(row.repetitions),
    row.reference === null ? '' : row.ratio.toFixed(3),
    `${row.target.bound === 'at most' ? '<=' : '>='} ${row.target.value}${row.reference === null ? ` ${row.unit}` : ''}`,
    row.reached ? 'reached' : 'MISSED',
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...body.map((cells) => cells[column]?.length ?? 0)),
  );
  const lines = [head, widths.map((width) => '-'.repeat(width)), ...body].map(
    (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  const { cpu, cores, memoryGiB, kernel, disk, node, at } = machine;
  return [`${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}, ${disk}, Node ${node}, ${at}`, '', ...lines, ''].join(
    '\n',
  );
}

function quantity(value: number, unit: Summary['unit']): string {
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(2)} ${unit}`;
}
