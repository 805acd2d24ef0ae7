/** One line for a person, before anyone decides on colour or on whether it is shown at all. */

export type Tone = 'plain' | 'strong' | 'good' | 'warning' | 'bad' | 'faint';

/**
 * How much a line matters. `always`: also with `--quiet`. `event`: something happened. `detail`: routine, shown only
 * where lines are all there is.
 */
export type Weight = 'always' | 'event' | 'detail';

export interface Line {
  readonly text: string;
  readonly tone: Tone;
  readonly weight: Weight;
}

export function line(text: string, tone: Tone = 'plain', weight: Weight = 'event'): Line {
  return { text, tone, weight };
}
