/** What is wrong in a configuration file, gathered so that a person sees all of it at once. */
import { NkatError } from '../errors.ts';

export interface FilePlace {
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export interface FileProblem {
  readonly place: FilePlace;
  /** What is there, and what is accepted. */
  readonly text: string;
}

/** So many are told; the rest is counted. */
export const SHOWN_PROBLEMS = 10;

/** `/home/ada/nkat-recover.yaml:3:7`, as editors and terminals know it. */
export function placeText({ file, line, column }: FilePlace): string {
  return `${file}:${line}:${column}`;
}

/** @throws NkatError `configuration` where there is any problem */
export function refuseProblems(path: string, problems: readonly FileProblem[]): void {
  if (problems.length === 0) return;
  const ordered = [...problems].sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column);
  const lines = ordered.slice(0, SHOWN_PROBLEMS).map(({ place, text }) => `${placeText(place)}: ${text}`);
  const more = ordered.length > SHOWN_PROBLEMS ? [`and ${ordered.length - SHOWN_PROBLEMS} more`] : [];
  const count = `${ordered.length} things in it are wrong`;
  const message = lines.length === 1 ? lines.join('') : [count, ...lines, ...more].join('\n  ');
  throw new NkatError(message, {
    code: 'configuration',
    operation: 'read the configuration',
    path,
    hint: 'Correct the file; docs/configuration.md has every key. To run without it: --no-config.',
  });
}
