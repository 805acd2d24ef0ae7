/** One record of a session's log for a person; events in the words that the screen had for them. */
import type { SupervisorEvent } from '../../supervisor/events.ts';
import type { LogLevel, LogRecord } from '../log-filter.ts';
import type { Tone } from './line.ts';
import type { Paint } from './paint.ts';
import { NO_STORY, type Story } from './story.ts';
import { loggedWords, tell } from './words.ts';

const TONES: Readonly<Record<LogLevel, Tone>> = { info: 'plain', warn: 'warning', error: 'bad' };
const SHOWN_OF_DAMAGED = 200;
/** Said by the columns before the words, or of no use to a person. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'attempt', 'event', 'msg', 'stream']);

export class LogWords {
  #story: Story = NO_STORY;

  /** The words alone: what `--grep` looks at. May be several lines. */
  textOf(record: LogRecord): string {
    if (record.event === null) return record.msg;
    return this.#eventText(record.event, record) || genericText(record.event, record);
  }

  /** Events of another release may lack what these words are made of. */
  #eventText(name: string, { facts, msg }: LogRecord): string {
    if (msg !== '') return msg;
    try {
      const event = { ...facts, name } as unknown as SupervisorEvent;
      const { story, lines } = tell(this.#story, event);
      this.#story = story;
      return lines.length === 0 ? loggedWords(event) : lines.map(({ text }) => text).join('\n');
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      return '';
    }
  }
}

export function logLines(record: LogRecord, text: string, paint: Paint): string {
  const attempt = record.attempt === null ? '' : ` #${record.attempt}`;
  const source = record.stream ?? record.event ?? '';
  const head = `${localTime(record.time)}${attempt} ${source}`;
  const [first = '', ...rest] = text.split('\n');
  const tone = record.event === null ? 'plain' : TONES[record.level];
  const lines = [`${paint(head, 'faint')}  ${paint(first, tone)}`, ...rest.map((line) => `    ${paint(line, tone)}`)];
  return `${lines.join('\n')}\n`;
}

export function damagedLine(text: string, paint: Paint): string {
  const shown = text.length > SHOWN_OF_DAMAGED ? `${text.slice(0, SHOWN_OF_DAMAGED)}…` : text;
  return `${paint(`[damaged line of ${Buffer.byteLength(text)} bytes]`, 'warning')} ${shown}\n`;
}

/** Keeps `--json` a stream of objects. */
export function damagedJson(text: string): string {
  const damaged = { level: 'warn', event: 'log-damaged', bytes: Buffer.byteLength(text) };
  return `${JSON.stringify({ ...damaged, text: text.slice(0, SHOWN_OF_DAMAGED) })}\n`;
}

function genericText(event: string, { facts }: LogRecord): string {
  const fields = Object.entries(facts).filter(([name]) => !OWN_FIELDS.has(name));
  const text = fields.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return text.length === 0 ? event : text.join(' ');
}

/** `2026-11-22 12:00:00.123` where the reader is. */
function localTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const two = (value: number, digits = 2): string => String(value).padStart(digits, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
}
