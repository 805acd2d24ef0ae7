/** Everything of a run that must survive, apart from the trainer's own state: one place that saves and restores it. */
import { decodeState, encodeState } from '../checkpoint/state-json.ts';
import { NkatError } from '../errors.ts';
import type { BestValue } from './best-model.ts';
import { BoundaryMark, type Marked } from './boundary-mark.ts';
import { HISTORY_PREFIX, History } from './history.ts';
import { assertKeepable, putBackInPlace } from './kept.ts';
import { Position, type PositionState } from './position.ts';
import { type RandomSaved, RandomSlots } from './random-slots.ts';
import type { ReportedProgress } from './reported-progress.ts';
import type { SaveContent } from './save-in-flight.ts';
import type { SavedTensor, StateValue, TrainingState } from './state.ts';
import { type MeansState, StepMeans } from './step-means.ts';

const VERSION = 1;

interface SavedRun {
  readonly version: number;
  readonly run: {
    readonly position: PositionState;
    readonly random: RandomSaved;
    readonly means: MeansState;
    readonly rows: { readonly steps: number; readonly epochs: number };
    readonly best: BestValue | null;
    /** Missing in states of earlier releases. */
    readonly report?: ReportedProgress | null;
    readonly metrics: Readonly<Record<string, number>>;
  };
  readonly kept: Readonly<Record<string, unknown>>;
  readonly state: StateValue;
}

export class RunMemory {
  readonly position = new Position();
  readonly random: RandomSlots;
  readonly means = new StepMeans();
  readonly steps = new History('step');
  readonly epochs = new History('epoch');
  best: BestValue | null = null;
  /** What work without epochs said of itself last. */
  report: ReportedProgress | null = null;
  /** Newest value of each metric, for the manifest. */
  metrics: Record<string, number> = {};
  readonly #kept = new Map<string, object>();
  /** Saved values that no `keep` has asked for yet; they stay in later checkpoints. */
  readonly #unclaimed = new Map<string, unknown>();
  readonly mark = new BoundaryMark({
    random: () => this.random.state(),
    kept: () => this.#kept,
    now: () => performance.now(),
  });
  /** Text of the checkpoint until the epoch is taken up; decoded anew, for what was put back first may have changed. */
  #takeUpText: string | null = null;

  constructor(seed: number) {
    this.random = new RandomSlots(seed);
  }

  keep(name: string, object: object): void {
    assertKeepable(name, object);
    encodeState({ [name]: object });
    if (this.#unclaimed.has(name)) putBackInPlace(name, object, this.#unclaimed.get(name));
    this.#unclaimed.delete(name);
    this.#kept.set(name, object);
  }

  /**
   * The state at this step boundary, or as it was at the last one. JSON is taken by reference: encode it before
   * training goes on.
   */
  content(state: TrainingState, marked: Marked | null = null): SaveContent {
    const snapshot = state.snapshot();
    const taken = snapshot.tensors.find(({ name }) => name.startsWith(HISTORY_PREFIX));
    if (taken !== undefined) {
      snapshot.release();
      throw new NkatError(`the tensor name ${taken.name} is taken: names under ${HISTORY_PREFIX} hold the history`, {
        code: 'usage',
        operation: 'save the state',
      });
    }
    const saved: SavedRun = {
      version: VERSION,
      run: {
        position: this.position.state(),
        random: marked?.random ?? this.random.state(),
        means: this.means.state(),
        rows: { steps: this.steps.rows, epochs: this.epochs.rows },
        best: this.best,
        report: this.report,
        metrics: this.metrics,
      },
      kept: { ...Object.fromEntries(this.#unclaimed), ...(marked?.kept ?? Object.fromEntries(this.#kept)) },
      state: snapshot.json,
    };
    return {
      tensors: [...snapshot.tensors, ...this.steps.snapshot(), ...this.epochs.snapshot()],
      json: saved,
      release: () => snapshot.release(),
    };
  }

  /**
   * Puts a checkpoint back: the trainer's state first, which may refuse it with nothing changed.
   * @throws NkatError `state-mismatch`, `format-newer`
   */
  putBack(tensors: ReadonlyMap<string, SavedTensor>, text: string, state: TrainingState): void {
    const saved = readSavedRun(text);
    const own = new Map([...tensors].filter(([name]) => !name.startsWith(HISTORY_PREFIX)));
    state.restore({ tensors: own, json: saved.state });
    const { position, random, means, rows, best, metrics } = saved.run;
    this.steps.putBack(tensors, rows.steps);
    this.epochs.putBack(tensors, rows.epochs);
    this.position.putBack(position);
    this.random.putBack(random.now);
    this.means.putBack(means);
    this.best = best;
    this.report = saved.run.report ?? null;
    this.metrics = { ...metrics };
    for (const [name, value] of Object.entries(saved.kept)) {
      const object = this.#kept.get(name);
      if (object === undefined) this.#unclaimed.set(name, value);
      else putBackInPlace(name, object, value);
    }
    this.#takeUpText = text;
  }

  /**
   * An epoch begins. The one that is taken up in its middle begins with the random states of its own start, since the
   * trainer's code at its head runs again.
   */
  epochBegins(): void {
    if (this.#takeUpText !== null) {
      const { random } = readSavedRun(this.#takeUpText).run;
      if (this.position.insideEpoch) {
        this.random.putBack(random.epochStart);
        this.random.markEpochStart();
        return;
      }
      this.random.putBack(random.now);
      this.#takeUpText = null;
    }
    this.means.clear();
    this.random.markEpochStart();
  }

  /** The place of the checkpoint is reached: whatever ran since the launch, all is as it was when it was made. */
  takeUp(): void {
    if (this.#takeUpText === null) return;
    const { run, kept } = readSavedRun(this.#takeUpText);
    this.#takeUpText = null;
    this.random.putBack(run.random.now);
    for (const [name, object] of this.#kept) {
      if (Object.hasOwn(kept, name)) putBackInPlace(name, object, kept[name]);
    }
  }
}

function readSavedRun(text: string): SavedRun {
  const saved = decodeState(text) as Partial<SavedRun> | null;
  if (typeof saved?.version === 'number' && saved.version > VERSION) {
    throw new NkatError(`this checkpoint was made by a newer SDK (state version ${saved.version})`, {
      code: 'format-newer',
      operation: 'restore the run',
      hint: 'Use the release of nkat-recover that wrote it, or a newer one.',
    });
  }
  if (saved?.version !== VERSION || saved.run === undefined || saved.kept === undefined) {
    throw new NkatError('state.json is not that of a training run', {
      code: 'state-mismatch',
      operation: 'restore the run',
    });
  }
  return saved as SavedRun;
}
