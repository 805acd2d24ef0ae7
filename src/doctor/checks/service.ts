/** Whether the next boot brings interrupted sessions back. */
import { type Finding, note, ok, warning } from '../finding.ts';

export interface ServiceFacts {
  readonly installed: 'yes' | 'no' | 'other';
  /** What the service manager says of it; null: there is nothing to ask. */
  readonly enabled: string | null;
  readonly where: string;
}

const INSTALL = 'nkat-recover service install';

export function checkService({ installed, enabled, where }: ServiceFacts): Finding {
  if (installed === 'no') return note('service', 'After a reboot nothing is brought back by itself.', INSTALL);
  if (installed === 'other') {
    return warning('service', `Installed for another program or state home (${where}).`, INSTALL);
  }
  if (enabled !== null && enabled !== 'enabled') {
    return warning('service', `Installed (${where}), but ${enabled}: the next boot does not start it.`, INSTALL);
  }
  return ok('service', `installed (${where}): the next boot brings interrupted sessions back`);
}
