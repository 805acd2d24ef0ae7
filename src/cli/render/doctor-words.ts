/** What `doctor` shows: a line for each finding, and below it what mends it. */
import type { Finding, Severity } from '../../doctor/finding.ts';
import { type Line, line, type Tone } from './line.ts';
import { count } from './quantities.ts';

const TONES: Readonly<Record<Severity, Tone>> = { ok: 'plain', note: 'faint', warning: 'warning', problem: 'bad' };
const CHECK_WIDTH = 13;

export function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ severity }) => severity !== 'problem');
}

export function doctorWords(findings: readonly Finding[]): Line[] {
  return [...findings.flatMap(findingWords), verdict(findings)];
}

function findingWords({ check, severity, words, mend }: Finding): Line[] {
  const head = `${severity.padEnd(9)}${check.padEnd(CHECK_WIDTH)}`;
  const lines = [line(`${head}${words}`, TONES[severity])];
  if (mend !== null) lines.push(line(`${' '.repeat(head.length)}-> ${mend}`, severity === 'note' ? 'faint' : 'plain'));
  return lines;
}

function verdict(findings: readonly Finding[]): Line {
  const problems = findings.filter(({ severity }) => severity === 'problem').length;
  const warnings = findings.filter(({ severity }) => severity === 'warning').length;
  if (problems > 0) {
    const words = `${count(problems, 'problem')} and ${count(warnings, 'warning')}: mend the ${problems === 1 ? 'problem' : 'problems'} before you train.`;
    return line(words, 'bad');
  }
  if (warnings > 0) return line(`This machine can train; ${count(warnings, 'warning')}.`, 'warning');
  return line('This machine is fit to train.', 'good');
}
