/** The session database. It is an index: whatever is wrong with it, no checkpoint is lost by it. */
import { type Finding, note, ok, problem, warning } from '../finding.ts';

export type HomeAnswer =
  | { readonly kind: 'whole' | 'missing' | 'not-a-file' }
  | { readonly kind: 'damaged' | 'newer' | 'refused'; readonly reason: string }
  | { readonly kind: 'silent'; readonly forMs: number };

export function checkStateHome(database: string, answer: HomeAnswer): Finding {
  const again = 'nkat-recover repair builds it anew from the checkpoints; nothing is lost by it.';
  switch (answer.kind) {
    case 'whole':
      return ok('state-home', `${database} is whole`);
    case 'missing':
      return note('state-home', `${database} is not there yet: the first run makes it.`);
    case 'not-a-file':
      return problem('state-home', `${database} is no file.`, 'Move it away: nkat-recover needs that name.');
    case 'damaged':
      return warning('state-home', `${database} is damaged (${answer.reason}).`, again);
    case 'newer':
      return problem('state-home', answer.reason, 'Update nkat-recover, or keep a second state home with NKAT_HOME.');
    case 'refused':
      return problem('state-home', `${database} cannot be read: ${answer.reason}.`, 'Look at its owner and rights.');
    case 'silent': {
      const seconds = Math.round(answer.forMs / 1000);
      return warning('state-home', `${database} could not be read through within ${seconds} s.`, null);
    }
  }
}
