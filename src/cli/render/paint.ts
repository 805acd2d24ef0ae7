/** Tones as colours, where there are colours. */
import type { Line, Tone } from './line.ts';

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

export function paintLine(paint: Paint, { text, tone }: Line): string {
  return `${paint(text, tone)}\n`;
}
