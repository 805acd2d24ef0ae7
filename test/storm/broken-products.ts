/**
 * The product with one of its guarantees taken away: what a storm must find. Each is a copy of the installation in which
 * one line reads otherwise; a line that is not there any more is an error, so that no variant becomes whole in silence.
 */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Change {
  /** Below `dist`. */
  readonly file: string;
  readonly line: string;
  readonly instead: string;
}

export interface BrokenProduct {
  readonly name: string;
  /** The promise that is broken with it, under the word of the reports. */
  readonly breaks: string;
  readonly changes: readonly Change[];
}

export const BROKEN_PRODUCTS: readonly BrokenProduct[] = [
  {
    name: 'commits are not fenced',
    breaks: 'one-owner',
    changes: [
      {
        file: 'checkpoint/fence.js',
        line: 'return highest !== claim && highest !== 0;',
        instead: 'return highest === -claim;',
      },
    ],
  },
  {
    name: 'a living owner holds nobody off',
    breaks: 'one-owner',
    changes: [{ file: 'checkpoint/claim.js', line: 'return isSelf || !isAlive(previous)', instead: 'return true' }],
  },
  {
    name: 'no adoption',
    breaks: 'one-live-worker',
    changes: [
      {
        file: 'supervisor/earlier-worker.js',
        line: "return { kind: 'alive', worker, verified: verifiedBy(await ownOf(files, layout, worker)) };",
        instead: "return { kind: 'none' };",
      },
      {
        file: 'supervisor/supervise-claimed.js',
        line: 'await endUnrecordedWorkers(context.layout.session, context.settings.stop.killWaitMs)',
        instead: '0',
      },
    ],
  },
  {
    name: 'an end that nobody saw is not counted',
    breaks: 'budget-is-exact',
    changes: [
      {
        file: 'supervisor/machine/opening.js',
        line: 'launchUnlessStopped({ ...ledger, budget: decision.budget },',
        instead: 'launchUnlessStopped(ledger,',
      },
    ],
  },
  {
    name: 'an attempt is counted when it is adopted, and again when it ends',
    breaks: 'budget-is-exact',
    changes: [
      {
        file: 'supervisor/machine/opening.js',
        line: 'withFound({ ...state.ledger, attempt: event.attempt }, event.verified)',
        instead:
          'withFound({ ...state.ledger, attempt: event.attempt, budget: { ...state.ledger.budget, restarts: state.ledger.budget.restarts + 1 } }, event.verified)',
      },
    ],
  },
  {
    name: 'the count dies with the supervisor',
    breaks: 'budget-is-exact',
    changes: [
      {
        file: 'supervisor/supervise-claimed.js',
        line: '        budget,\n        lastStep,',
        instead: '        budget: { ...budget, withoutProgress: 0, restarts: 0 },\n        lastStep,',
      },
    ],
  },
  {
    name: 'the step that a worker died in is kept, and trained again',
    breaks: 'no-step-twice',
    changes: [
      {
        file: 'worker/run-memory.js',
        line: 'this.steps.putBack(tensors, rows.steps);',
        instead:
          "this.steps.putBack(tensors, rows.steps); this.steps.append({ loss: this.steps.column('loss').at(-1) ?? 0 });",
      },
    ],
  },
];

/** An installation in `folder` (made here) that is broken so. */
export function installBroken(folder: string, { changes }: BrokenProduct): string {
  mkdirSync(folder);
  for (const part of ['bin', 'dist', 'fixtures', 'package.json']) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const [file, text] of changedFiles(changes)) writeFileSync(join(folder, 'dist', file), text);
  return folder;
}

/** The files of `dist` that a broken product has otherwise, with their texts. @throws Error where a line is not there once */
export function changedFiles(changes: BrokenProduct['changes']): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { file, line, instead } of changes) {
    const text = texts.get(file) ?? readFileSync(join(ROOT, 'dist', file), 'utf8');
    const [before, after, ...more] = text.split(line);
    if (before === undefined || after === undefined || more.length > 0) throw new Error(`not once in ${file}: ${line}`);
    texts.set(file, `${before}${instead}${after}`);
  }
  return texts;
}
