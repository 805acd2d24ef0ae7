/** Launches of the real trainer on a broken copy: each fault in its turn, and after each the way back from it. */
import { chooseCheckpoint } from '../../checkpoint/choose.ts';
import type { StoreLayout } from '../../checkpoint/layout.ts';
import type { Choice } from '../../checkpoint/types.ts';
import { aboutDuration } from '../../units.ts';
import type { DrillOptions } from '../drilled-session.ts';
import { rehearse } from '../rehearsal.ts';
import { oneStepFrom, pointOf, type RehearsalEnd, type RehearsalRequest } from '../rehearsal-request.ts';
import { NO_GPU } from './gpus.ts';
import type { Injected, NamedInjection } from './injections.ts';
import { judgeChosen, judgeFullDisk, judgeKilled } from './verdicts.ts';

/** Further than anybody trains: such a launch ends by being killed, or with the training. */
const NO_END = { step: 2 ** 50, epoch: null, save: false, fullDisk: false };
/** Between two kills at random moments, at most. */
const LONGEST_LIFE_MS = 10_000;
/** A launch that is killed at random saves about so often in the time that it has. */
const SAVES_IN_TIME = 12;
const LEAST_SAVE_MS = 1_000;

export type Chosen = NonNullable<Choice['chosen']>;
export type IncidentRequest = Omit<RehearsalRequest, 'resume' | 'until'>;

/** Where a copy stands, from one incident to the next. */
export class Incidents {
  readonly #copy: StoreLayout;
  readonly #options: DrillOptions;
  readonly #setAside: ReadonlySet<number>;
  #request: IncidentRequest;
  #chosen: Chosen;
  #acknowledged = 0;

  constructor(copy: StoreLayout, chosen: Chosen, request: IncidentRequest, options: DrillOptions, aside: Set<number>) {
    this.#copy = copy;
    this.#chosen = chosen;
    this.#request = request;
    this.#options = options;
    this.#setAside = aside;
  }

  /** What the next launch goes on from. */
  get chosen(): Chosen {
    return this.#chosen;
  }

  get request(): IncidentRequest {
    return this.#request;
  }

  async happen({ name, injection }: NamedInjection): Promise<Injected> {
    const told = (problem: string | null, text: string): Injected => ({
      name,
      ok: problem === null,
      text: problem ?? text,
    });
    switch (injection.kind) {
      case 'disk-full': {
        const before = this.#chosen.manifest.sequence;
        const problem = await this.#fullDisk();
        const after = this.#chosen.manifest.sequence;
        return told(problem, `a save found no room, checkpoint ${before} stayed; with room again it saved ${after}`);
      }
      case 'kill':
      case 'gpu-lost': {
        const { step } = this.#chosen.manifest;
        const { problem, killMs } = await this.#killed('first-step', null);
        // From here on the card is gone.
        if (injection.kind === 'gpu-lost') {
          this.#request = { ...this.#request, environment: { ...this.#request.environment, ...NO_GPU } };
        }
        const ended = killMs === null ? 'it had nothing left to train, so it could not be killed' : null;
        const how = injection.kind === 'kill' ? 'killed' : 'killed as the GPU went';
        return told(
          problem,
          ended ?? `${how} in its first step after ${step}, gone within ${aboutDuration(Math.ceil(killMs ?? 0))}`,
        );
      }
      case 'random-kill':
        return this.#randomKills(name, injection.ms);
      default:
        return told(null, 'in force for every launch');
    }
  }

  /** Null: the way back stands open. */
  async #fullDisk(): Promise<string | null> {
    const end = await this.#launch({ ...oneStepFrom(pointOf(this.#chosen)), save: true, fullDisk: true }, {});
    return judgeFullDisk(end) ?? this.#chooseAgain();
  }

  async #killed(
    kill: RehearsalRequest['kill'],
    saveEveryMs: number | null,
  ): Promise<{ readonly problem: string | null; readonly killMs: number | null; readonly completed: boolean }> {
    const end = await this.#launch(NO_END, { kill, saveEveryMs });
    const problem = judgeKilled(end) ?? (await this.#chooseAgain());
    return { problem, killMs: end.killMs, completed: end.rehearsal.completed };
  }

  async #randomKills(name: string, ms: number): Promise<Injected> {
    const { nowMs, random, onProgress } = this.#options;
    const untilMs = nowMs() + ms;
    const saveEveryMs = Math.max(LEAST_SAVE_MS, Math.round(ms / SAVES_IN_TIME));
    const from = this.#chosen.manifest;
    for (let kills = 0; ; ) {
      const leftMs = untilMs - nowMs();
      if (leftMs <= 0) {
        const { step } = this.#chosen.manifest;
        const way = `from checkpoint ${from.sequence} (step ${from.step}) to step ${step}`;
        return { name, ok: true, text: `killed ${kills} times, ${way}, no acknowledged checkpoint lost` };
      }
      onProgress(`killed ${kills} times, ${aboutDuration(Math.ceil(leftMs / 1_000) * 1_000)} left`);
      const lifeMs = Math.ceil(random() * Math.min(LONGEST_LIFE_MS, leftMs));
      const { problem, killMs, completed } = await this.#killed(lifeMs, saveEveryMs);
      if (killMs !== null) kills += 1;
      if (problem !== null) return { name, ok: false, text: `after ${kills} kills: ${problem}` };
      if (completed) return { name, ok: true, text: `killed ${kills} times, until nothing was left to train` };
    }
  }

  async #launch(until: RehearsalRequest['until'], changes: Partial<IncidentRequest>): Promise<RehearsalEnd> {
    const resume = pointOf(this.#chosen);
    const end = await rehearse(this.#options.files, { ...this.#request, ...changes, resume, until });
    this.#acknowledged = Math.max(this.#acknowledged, end.acknowledged ?? 0);
    return end;
  }

  /** As a supervisor does it after a crash: what is damaged is moved aside, and the newest that verifies is taken. */
  async #chooseAgain(): Promise<string | null> {
    const { files } = this.#options;
    const request = { layout: this.#copy, setAside: this.#setAside, quarantine: true };
    const { chosen } = await chooseCheckpoint(files, request);
    if (chosen !== null) this.#chosen = chosen;
    return judgeChosen(this.#acknowledged, chosen?.manifest.sequence ?? null);
  }
}
