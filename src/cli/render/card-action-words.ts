/** What is done for a card's sake, in one line each: what, and why. */
import type { EventNamed } from '../../supervisor/events.ts';
import { type Line, line, type Tone } from './line.ts';

export function cardActionLine(event: EventNamed<'gpu-acted'>): Line {
  const [tone, what] = WORDS[event.action];
  return line(`${what(Math.round((event.share ?? 0) * 100))}: ${event.reason}`, tone, 'always');
}

const WORDS: Readonly<Record<EventNamed<'gpu-acted'>['action'], readonly [Tone, (percent: number) => string]>> = {
  slowed: ['warning', (percent) => `Training is slowed down, it rests ${percent} % of the time`],
  held: ['warning', () => 'Training stands still'],
  freed: ['good', () => 'Training goes on at full pace'],
  saved: ['plain', () => 'A save is made'],
  released: ['plain', () => 'The trainer is asked to free memory'],
  stopped: ['bad', () => 'Training is stopped with an emergency save, and goes on later'],
  awaited: ['warning', () => 'The next launch waits for the GPU'],
  'went-on': ['good', () => 'The wait for the GPU is over'],
};
