/** The parts of a run that was welcomed, put together once; `TrainingRun` is the trainer's face of them. */
import { Boundary } from './boundary.ts';
import type { ControlBlock } from './control-block.ts';
import { Divergence } from './divergence.ts';
import { EpochEnd } from './epoch-end.ts';
import { LastSave } from './last-save.ts';
import type { Orders } from './orders.ts';
import { Periodic } from './periodic.ts';
import { ProgressNotes } from './progress-notes.ts';
import { Room } from './room.ts';
import { RunMemory } from './run-memory.ts';
import { Saver } from './saver.ts';
import type { SessionLink } from './session-link.ts';
import { StepClock } from './step-clock.ts';
import type { SessionFacts } from './thread/messages.ts';
import { Turns } from './turns.ts';
import { Warnings } from './warnings.ts';

export interface RunParts {
  readonly orders: Orders;
  readonly memory: RunMemory;
  readonly periodic: Periodic;
  readonly saver: Saver;
  readonly boundary: Boundary;
  readonly clock: StepClock;
  readonly turns: Turns;
  readonly notes: ProgressNotes;
  readonly divergence: Divergence;
  readonly epochEnd: EpochEnd;
  readonly lastSave: LastSave;
  readonly warnings: Warnings;
  readonly room: Room;
}

export interface PartsOptions {
  readonly control: ControlBlock;
  readonly seed: number;
  readonly adapts: boolean;
}

export function assembleRun(
  { control, seed, adapts }: PartsOptions,
  { policy }: SessionFacts,
  link: SessionLink,
  orders: Orders,
): RunParts {
  const memory = new RunMemory(seed);
  const periodic = new Periodic(policy, performance.now());
  const saver = new Saver({
    post: (message) => link.post(message),
    now: () => performance.now(),
    measured: ({ stallMs, bytes }) => periodic.measured(stallMs, bytes),
    waitFor: (holds, timeoutMs) => link.drainUntil(holds, timeoutMs),
  });
  const room = new Room();
  const boundary = new Boundary({ control, link, orders, saver, memory, periodic: () => periodic, room });
  const clock = new StepClock();
  const warnings = new Warnings(link);
  const notes = new ProgressNotes({
    memory,
    control,
    clock,
    periodic,
    post: (facts) => link.post(facts),
    say: (message) => warnings.say(message),
  });
  return {
    orders,
    memory,
    periodic,
    saver,
    boundary,
    clock,
    turns: new Turns(clock),
    notes,
    divergence: new Divergence(link, adapts),
    epochEnd: new EpochEnd({ memory, boundary, periodic }),
    lastSave: new LastSave({ saver, link, boundary, memory }),
    warnings,
    room,
  };
}

/** From here on, until the trainer goes on, all is as a save of this boundary has it. */
export function markBoundary({ memory, boundary, clock }: Pick<RunParts, 'memory' | 'boundary' | 'clock'>): void {
  memory.mark.made(boundary.state, clock.stepMs);
}
