/** What was told so far, as far as later sentences need it. */
import type { EventNamed } from '../../supervisor/events.ts';

export interface Story {
  readonly session: string | null;
  /** What the next start goes on from. */
  readonly chosen: EventNamed<'checkpoint-chosen'> | null;
  /** The worker that ended, while no step came since; null: training goes on, or has not begun. */
  readonly down: EventNamed<'worker-ended'> | null;
  /** The output of the trainer stands above our words, so its last lines need no telling. */
  readonly showsOutput: boolean;
}

export const NO_STORY: Story = { session: null, chosen: null, down: null, showsOutput: false };
