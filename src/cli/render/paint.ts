/** Tones as colours, where there are colours. */
import type { Line, Tone } from './line.ts';
import { printable } from './width.ts';

/** Select Graphic Rendition codes (ECMA-48 8.3.117); a reset follows the text. */
const SGR: Readonly<Record<Tone, string>> = {
  plain: '',
  strong: '1',
  good: '32',
  warning: '33',
  bad: '31',
  faint: '2',
};

export type Paint = (text: string, tone: Tone) => string;

export function paintWith(colour: boolean): Paint {
  if (!colour) return (text) => text;
  return (text, tone) => (SGR[tone] === '' || text === '' ? text : `\u001b[${SGR[tone]}m${text}\u001b[0m`);
}

/** What a worker or a file name says may stand in a line of ours: it must not move the cursor or retitle the screen. */
export function paintLine(paint: Paint, { text, tone }: Line): string {
  const harmless = text.split('\n').map(printable).join('\n');
  return `${paint(harmless, tone)}\n`;
}
