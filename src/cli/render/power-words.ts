/** What is said of the machine's power. */
import type { EventNamed } from '../../supervisor/events.ts';
import { type Line, line } from './line.ts';
import { aboutDuration, count } from './quantities.ts';

export function cutWords(event: EventNamed<'power-cut'>): Line[] {
  const { downMs, inRow, backForMs, bootedAt, lastSeenAt } = event;
  const down =
    downMs === null ? 'the clock does not tell for how long' : `nothing trained for ${aboutDuration(downMs)}`;
  const booted = bootedAt === null ? '' : `, the machine came up at ${clockText(bootedAt)}`;
  const first = line(
    `The power was cut: last sign of life ${clockText(lastSeenAt)}${booted}; ${down}`,
    'warning',
    'always',
  );
  if (inRow < 2) return [first];
  const after = backForMs === null ? '' : ` ${aboutDuration(backForMs)} after the last recovery`;
  return [
    first,
    line(
      `It was cut again${after}, ${count(inRow, 'time')} in a row: the power may still be bad. --power-settle says how long it has to hold.`,
      'warning',
      'always',
    ),
  ];
}

export function upsLine({ ups, power, reason }: EventNamed<'ups-changed'>): Line {
  switch (power) {
    case 'line':
      return line(`UPS ${ups}: ${reason}`, 'good', 'always');
    case 'battery':
      return line(
        `UPS ${ups}: ${reason}. Saved now and every minute; it stops when the battery is low.`,
        'warning',
        'always',
      );
    case 'unknown':
      return line(`UPS ${ups}: ${reason}. Nobody would say that the power is gone.`, 'warning', 'always');
  }
}

export function goingLine({ going }: EventNamed<'machine-going'>): Line {
  const what = going === 'sleep' ? 'is about to sleep' : 'is about to shut down';
  return line(`The machine ${what}: it waits for a save`, 'warning', 'always');
}

/** Local date and time to the second. */
export function clockText(iso: string): string {
  const at = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
