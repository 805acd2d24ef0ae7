/** What a stop signal does now, by when, and what one more would do. */
import type { EventNamed } from '../../supervisor/events.ts';
import { type Line, line } from './line.ts';
import { aboutDuration } from './quantities.ts';

/** A step that began this long ago makes the save wait noticeably. */
const LONG_STEP_MS = 3_000;

export function stopWords(event: EventNamed<'stop-requested'>): Line[] {
  const asked = event.reason ?? event.signal;
  // Asked for by a command, what presses harder is a signal here, and the first of its kind.
  const isCommand = (event.reason ?? null) !== null;
  // A lost terminal presses for nothing, however often it is told.
  const again =
    event.signal === 'SIGINT' ? 'Ctrl-C again' : event.signal === 'SIGHUP' ? 'SIGTERM' : 'The same signal again';
  const harder = isCommand ? 'Ctrl-C' : again;
  const limit = aboutDuration(event.deadlineMs);
  switch (event.stage) {
    case 'reaching':
      return [
        line(`${asked}: waiting up to ${limit} for the worker to answer, to save and stop.`, 'warning', 'always'),
      ];
    case 'saving': {
      const isFirst = isCommand || event.signal === 'SIGHUP';
      const last = isFirst ? 'a second time kills' : 'a third time kills';
      const lines = [
        line(
          `${asked}: saving, then stopping, within ${limit}. ${harder} gives up the save (SIGTERM), ${last}.`,
          'warning',
          'always',
        ),
      ];
      if (event.lastStepAgeMs !== null && event.lastStepAgeMs > LONG_STEP_MS) {
        const age = aboutDuration(event.lastStepAgeMs);
        lines.push(line(`The present step began ${age} ago; the save comes at its end.`, 'warning', 'always'));
      }
      return lines;
    }
    case 'terminating':
      return [
        line(`${asked}: SIGTERM sent to the worker, killed in ${limit}. ${harder} kills it now.`, 'warning', 'always'),
      ];
    case 'killing':
      return [line(`${asked}: killing the worker and its children (SIGKILL).`, 'bad', 'always')];
  }
}
