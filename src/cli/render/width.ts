/** Text on a screen: columns, not characters. */
const ESC = String.fromCharCode(27);
const BEL = String.fromCharCode(7);
/** Select Graphic Rendition: the one escape sequence that moves nothing. */
const COLOUR = new RegExp(`(${ESC}\\[[0-9;:]*m)`);
/** Control sequences (`ESC [ ... final`), operating system commands (`ESC ] ... BEL`), and other escapes. */
const ESCAPES = new RegExp(`${ESC}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)?|[ -/]*[0-~])`, 'g');
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Columns that a text without escapes takes: wide East Asian characters and emoji count two, combining ones none. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** At most `columns` wide; what was cut shows as `…`. */
export function cutToWidth(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  if (columns < 1) return '';
  let kept = '';
  let width = 1;
  for (const { segment } of segmenter.segment(text)) {
    width += graphemeWidth(segment);
    if (width > columns) break;
    kept += segment;
  }
  return `${kept.trimEnd()}…`;
}

/** Control characters and escape sequences would move the cursor or recolour the screen: they become nothing. */
export function printable(text: string): string {
  return text.replace(ESCAPES, '').replace(/\p{Cc}/gu, (character) => (character === '\t' ? '  ' : ''));
}

/** As a screen would show the line in the end: after the last carriage return, colours kept, other controls dropped. */
export function onScreen(text: string): string {
  const last = text.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  if (!/\p{Cc}/u.test(last)) return last;
  const parts = last.split(COLOUR);
  return parts.map((part, index) => (index % 2 === 1 ? part : printable(part))).join('');
}

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;

function graphemeWidth(grapheme: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u.test(grapheme)) return 0;
  return WIDE.test(grapheme) || grapheme.includes('\ufe0f') ? 2 : 1;
}
