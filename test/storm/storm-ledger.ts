/** What the supervisors of a storm said, one after another, held against what may be said. */
import type { EventNamed, SupervisorEvent } from '../../src/supervisor/events.ts';
import { Acknowledged } from '../power/acknowledged.ts';
import type { Run } from '../rig/run.ts';
import type { Violation } from '../torture/scenario.ts';
import { BudgetLedger, type Recorded } from './budget-ledger.ts';
import { ALL_STEPS, KEEP } from './storm-line.ts';

/** A row of `show --json`. */
interface ShownAttempt {
  readonly number: number;
  readonly class: string | null;
}

export class StormLedger {
  readonly acknowledged = new Acknowledged();
  readonly violations: Violation[] = [];
  #directory: string | null = null;
  #finalDigest: string | null = null;
  readonly #budget = new BudgetLedger((detail) => this.violate('budget-is-exact', detail));
  readonly #attempts = new Set<number>();
  /** Sequences that were ever told as set aside. */
  readonly #setAside = new Set<number>();
  /** The session's own record could not be written at times. */
  #mayForget = false;
  recoveries = 0;
  adoptions = 0;
  restarts = 0;

  get directory(): string | null {
    return this.#directory;
  }

  get finalDigest(): string | null {
    return this.#finalDigest;
  }

  /**
   * All that a supervisor said, after its end.
   * @param wasFull the disk was full meanwhile: what it could not write, the next one cannot know
   */
  take(run: Run, wasFull: boolean): void {
    this.#mayForget ||= wasFull;
    this.#budget.begin(wasFull);
    for (const event of run.events) {
      this.#take(event);
      this.#budget.take(event);
    }
  }

  /** What is on record once a supervisor is gone. */
  settle(recorded: Recorded): void {
    this.#budget.settle(recorded, this.acknowledged.newest?.step === ALL_STEPS);
  }

  violate(invariant: string, detail: string): void {
    this.violations.push({ invariant, detail });
  }

  /** What the database shows once all has ended. */
  judgeAttempts(attempts: readonly ShownAttempt[]): void {
    const twice = attempts.filter(({ number }, index) => attempts.findIndex((one) => one.number === number) !== index);
    if (twice.length > 0) this.violate('budget-is-exact', `attempts are listed twice: ${JSON.stringify(twice)}`);
  }

  #take(event: SupervisorEvent): void {
    const newest = this.acknowledged.newest?.sequence ?? 0;
    switch (event.name) {
      case 'session-opened':
        if (this.#directory !== null && this.#directory !== event.directory) {
          this.violate('resumes-from-newest', `another session was begun although ${newest} was saved`);
        }
        this.#directory = event.directory;
        if (event.adopted) this.adoptions++;
        return;
      case 'attempt-started':
        if (this.#attempts.has(event.attempt) && !this.#mayForget) {
          this.violate('one-live-worker', `attempt ${event.attempt} was launched twice`);
        }
        this.#attempts.add(event.attempt);
        return;
      case 'checkpoint-chosen':
        this.recoveries++;
        this.#judgeChoice(event);
        return;
      case 'training-started':
        if (event.sequence === null && newest > 0) {
          this.violate('never-silently-fresh', `it started from zero although ${newest} was reported durable`);
        }
        return;
      case 'checkpoint-quarantined':
        this.violate('complete-or-absent', `checkpoint ${event.sequence} was quarantined: ${event.reason}`);
        return;
      case 'saved':
      case 'checkpoint-verified':
        this.acknowledged.take([event]);
        return;
      case 'hang-detected':
        this.violate('nothing-fails-alone', `a hang was seen: ${JSON.stringify(event)}`);
        return;
      case 'session-ended':
        if (event.outcome === 'completed') this.#finalDigest = event.summary.digest;
        return;
      case 'restart-planned':
        this.restarts++;
        return;
      default:
    }
  }

  /** The newest that was acknowledged, but for those that were set aside after two crashes without progress each. */
  #judgeChoice({ sequence, candidates }: EventNamed<'checkpoint-chosen'>): void {
    const passed = this.acknowledged.all.filter((said) => said.sequence > sequence);
    // Newest first: the copy of a best model, which comes after them, says nothing of the checkpoint itself.
    const verdicts = new Map([...candidates].reverse().map((candidate) => [candidate.sequence, candidate.verdict]));
    for (const [candidate, verdict] of verdicts) if (verdict === 'set-aside') this.#setAside.add(candidate);
    // What newer ones have rotated away is gone, also where those are set aside now; and what is set aside keeps no place from others.
    const rotated = new Set(this.acknowledged.all.slice(0, -KEEP).map((said) => said.sequence));
    const isRight = (verdict: string | undefined, said: number): boolean =>
      verdict === 'set-aside' || (verdict === undefined && (rotated.has(said) || this.#setAside.has(said)));
    const wrong = passed.filter((said) => !isRight(verdicts.get(said.sequence), said.sequence));
    if (wrong.length === 0) return;
    const words = wrong.map((said) => `${said.sequence} (${verdicts.get(said.sequence) ?? 'gone'})`).join(', ');
    const all = candidates.map((candidate) => `${candidate.sequence} ${candidate.verdict}`).join(', ');
    this.violate('resumes-from-newest', `${sequence} was chosen although ${words} was reported durable; of ${all}`);
  }
}
