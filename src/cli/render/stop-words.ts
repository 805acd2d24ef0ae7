/** What a stop signal does now, by when, and what one more would do. */
import type { EventNamed } from '../../supervisor/events.ts';
import { type Line, line } from './line.ts';
import { aboutDuration } from './quantities.ts';

/** A step that began this long ago makes the save wait noticeably. */
const LONG_STEP_MS = 3_000;

export function stopWords(event: EventNamed<'stop-requested'>): Line[] {
  const asked = event.reason ?? event.signal;
  // Asked for from another terminal, what presses harder is still a signal here.
  const again = event.signal === 'SIGINT' || (event.reason ?? null) !== null ? 'Ctrl-C again' : 'The same signal again';
  const limit = aboutDuration(event.deadlineMs);
  switch (event.stage) {
    case 'saving': {
      const lines = [
        line(
          `${asked}: saving, then stopping, within ${limit}. ${again} gives up the save (SIGTERM), a third time kills.`,
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
        line(`${asked}: SIGTERM sent to the worker, killed in ${limit}. ${again} kills it now.`, 'warning', 'always'),
      ];
    case 'killing':
      return [line(`${asked}: killing the worker and its children (SIGKILL).`, 'bad', 'always')];
  }
}
