/** Runs cases, a few beside one another, and adds up what they tell. */
import type { CaseReport, TortureCase, Violation } from './scenario.ts';

export interface Finding extends Violation {
  readonly id: string;
  readonly story: readonly string[];
}

export interface Total {
  readonly cases: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

export interface RunCasesOptions {
  /** Cases at once. */
  readonly jobs: number;
  /** No new case is begun once it is aborted; those that run are finished. */
  readonly signal?: AbortSignal;
  readonly onDone?: (done: TortureCase, report: CaseReport) => void;
}

/** A case that throws is a finding too: what the harness could not do, it has not seen to hold. */
export async function runCases(cases: readonly TortureCase[], options: RunCasesOptions): Promise<Total> {
  const waiting = [...cases];
  const counts: Record<string, number> = {};
  const findings: Finding[] = [];
  let done = 0;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (options.signal?.aborted) return;
      const report = await reportOf(next);
      for (const [word, count] of Object.entries(report.counts)) counts[word] = (counts[word] ?? 0) + count;
      for (const violation of report.violations) {
        findings.push({ ...violation, id: next.id, story: report.story });
      }
      done++;
      options.onDone?.(next, report);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  return { cases: done, counts, findings };
}

async function reportOf(one: TortureCase): Promise<CaseReport> {
  try {
    return await one.run();
  } catch (error) {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { violations: [{ invariant: 'case-completes', detail }], counts: {}, story: [] };
  }
}

/** For a failed expectation and for the screen: each finding with what it takes to repeat it. */
export function describeFindings(findings: readonly Finding[]): string {
  return findings
    .map(({ invariant, detail, id, story }) =>
      [
        `${invariant}: ${detail}`,
        `  again: npm run torture -- --case ${id}`,
        ...story.map((line) => `  | ${line}`),
      ].join('\n'),
    )
    .join('\n\n');
}
