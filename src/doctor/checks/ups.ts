/** The UPS that the settings name. */
import type { UpsReport } from '../../power/ups-policy.ts';
import { type Finding, note, ok, warning } from '../finding.ts';

/** @param name null: none is configured, and nobody was asked */
export function checkUps(name: string | null, report: UpsReport | null): Finding {
  if (name === null || report === null) {
    const words = 'None is watched: a power cut comes unannounced, and costs the steps since the last save.';
    return note('ups', words, 'With a UPS and NUT: --ups myups@localhost');
  }
  if (report.kind === 'silent') {
    return warning(
      'ups',
      `${name} does not answer: ${report.reason}.`,
      `upsc ${name}; sudo systemctl restart nut-server`,
    );
  }
  const words = `${name} says ${report.words.join(' ') || 'nothing'}`;
  if (report.words.includes('RB')) return warning('ups', `${words}: its battery has to be replaced.`, null);
  if (report.words.includes('OL')) return ok('ups', `${words}: on line`);
  return warning('ups', `${words}: not on line.`, null);
}
