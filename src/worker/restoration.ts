/** Puts the checkpoint back that this launch goes on from: once, before the first step. */
import { MOST_VERSIONS, VERSION_TEXT } from '../protocol/message-fields.ts';
import type { ControlBlock } from './control-block.ts';
import type { Ending } from './ending.ts';
import { fitting } from './fitting.ts';
import type { ResumedFrom } from './run.ts';
import { markBoundary, type RunParts } from './run-parts.ts';
import type { SessionLink } from './session-link.ts';
import type { TrainingState } from './state.ts';
import type { SessionFacts } from './thread/messages.ts';
import { usage } from './usage.ts';

export interface RestorationOptions {
  readonly parts: RunParts;
  readonly link: SessionLink;
  readonly control: ControlBlock;
  readonly ending: Ending;
  readonly resume: SessionFacts['resume'];
}

export class Restoration {
  readonly #options: RestorationOptions;
  #resumed: ResumedFrom | null;
  #stage: 'not' | 'under-way' | 'done' = 'not';

  constructor(options: RestorationOptions) {
    this.#options = options;
    const { resume } = options;
    this.#resumed = resume === null ? null : { ...resume, insideEpoch: false, progress: null };
  }

  /** Null: a fresh start. */
  get resumed(): ResumedFrom | null {
    return this.#resumed;
  }

  get isDone(): boolean {
    return this.#stage === 'done';
  }

  /** @param scale what the state's learning rate is multiplied with */
  async of(state: TrainingState, scale: number): Promise<void> {
    if (this.#stage !== 'not') throw usage('run.restore was called before', 'restore');
    this.#stage = 'under-way';
    const startedAt = performance.now();
    const { parts, link, control } = this.#options;
    const { memory, boundary, periodic, lastSave } = parts;
    state.scaleLearningRate?.(scale);
    const loaded = await link.load();
    if (loaded.kind === 'loaded') {
      const { ending } = this.#options;
      fitting(ending, loaded.point, () => memory.putBack(loaded.tensors, loaded.state, state));
      state.restored?.();
      const { sequence } = loaded.point;
      const { step, epoch, insideEpoch } = memory.position;
      this.#resumed = { sequence, step, epoch, insideEpoch, progress: memory.report };
    } else this.#resumed = null;
    boundary.state = state;
    this.#stage = 'done';
    const { step, epoch } = memory.position;
    control.position(step, epoch);
    control.beat(process.hrtime.bigint());
    const sequence = this.#resumed?.sequence ?? null;
    const ms = performance.now() - startedAt;
    link.post({ type: 'restored', sequence, step, epoch, backend: state.backend, ms, versions: told(state.versions) });
    periodic.begun(performance.now());
    lastSave.startsAt(step);
    markBoundary(parts);
  }
}

/** A trainer's own state may give anything here; a message that is too long would be refused as a whole. */
function told(versions: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const known = Object.entries(versions).slice(0, MOST_VERSIONS);
  return Object.fromEntries(known.map(([name, version]) => [name, String(version).slice(0, VERSION_TEXT)]));
}
