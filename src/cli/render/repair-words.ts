/** What a repair found and did, one line each. */
import type { RepairReport } from '../../supervisor/repair.ts';
import type { RepairFinding } from '../../supervisor/repair-finding.ts';
import { type Line, line } from './line.ts';
import { count } from './quantities.ts';

const VERIFY = 'nkat-recover verify --all';

export function findingLine({ path, message, fixed, what }: RepairFinding): Line {
  if (fixed !== null) return line(`${path}: ${ended(message)} ${sentence(fixed)}`, 'warning');
  return line(`${path}: ${ended(message)}`, what === 'directory-missing' ? 'warning' : 'bad');
}

export function repairSummary({ sessions, findings }: RepairReport, dryRun: boolean): Line {
  const left = findings.filter(({ fixed }) => fixed === null).length;
  const looked = count(sessions, 'session');
  if (findings.length === 0) {
    // What the checkpoints hold is not read here: verify may have told of damage a moment ago.
    return line(`${looked} looked at: records and index are in order. What the checkpoints hold: ${VERIFY}.`, 'good');
  }
  const mended = findings.length - left;
  const words = dryRun ? `${mended} would be mended` : `${mended} mended`;
  const rest = left === 0 ? '' : `, ${left} left as they are`;
  return line(
    `${looked} looked at, ${count(findings.length, 'finding')}: ${words}${rest}.`,
    left === 0 ? 'good' : 'bad',
  );
}

function sentence(words: string): string {
  return ended(`${words.charAt(0).toUpperCase()}${words.slice(1)}`);
}

/** Some of what is told comes as a sentence already. */
function ended(words: string): string {
  return /[.!?]$/.test(words) ? words : `${words}.`;
}
