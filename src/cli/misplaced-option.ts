/**
 * One of our own options behind the trainer goes to the trainer, whose parser refuses it with a stack of its own: then it
 * is said where the option belongs.
 */
import type { SupervisorEvent } from '../supervisor/events.ts';

/** What a trainer was given that one of our commands would have understood. */
export interface Misplaced {
  /** Long flags with their dashes. */
  readonly options: readonly string[];
  /** Where they belong, in words. */
  readonly place: string;
}

/** @param own the options of the command, as commander has them */
export function misplacedAmong(
  words: readonly string[],
  own: readonly { readonly long?: string | undefined }[],
  place: string,
): Misplaced {
  const named = new Set(words.map((word) => word.split('=', 1)[0]));
  return { options: own.flatMap(({ long }) => (long !== undefined && named.has(long) ? [long] : [])), place };
}

/** The end of a trainer that could not start, with a hint where its last words speak of one of our options. */
export function withMisplacedHint(event: SupervisorEvent, { options, place }: Misplaced): SupervisorEvent {
  if (event.name !== 'session-ended' || event.outcome !== 'config-error') return event;
  const blamed = options.filter((option) => event.lastLines.some((text) => speaksOf(text, option)));
  if (blamed.length === 0) return event;
  const which = blamed.length === 1 ? `${blamed[0]} is an option` : `${blamed.join(' and ')} are options`;
  const put = blamed.length === 1 ? 'it' : 'them';
  return { ...event, hint: `${which} of nkat-recover: put ${put} ${place}.` };
}

/** Not `--save-every` where `--save-every-steps` is meant. */
function speaksOf(text: string, option: string): boolean {
  return text.split(option).some((rest, at) => at > 0 && !/^[\w-]/.test(rest));
}
