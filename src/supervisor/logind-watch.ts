/**
 * Hears from logind that the machine is about to shut down or to sleep, while a session is supervised: the worker saves, and
 * the machine waits for that. Without logind it does nothing, says nothing, and asks nobody again; a logind that was there
 * is looked for until it is there again: a bus is restarted by an update, and a training runs for weeks.
 */
import { DelayLock } from '../power/delay-lock.ts';
import { AWAKE, type Going, judgeLogind, type LogindAction, type LogindEvent } from '../power/logind-policy.ts';
import { SystemBus } from '../power/system-bus.ts';
import { ENVIRONMENT } from '../protocol/messages.ts';
import type { SupervisorEvent } from './events.ts';
import type { MachineEars } from './machine-ears.ts';

const LOGIND = 'org.freedesktop.login1';
const INTERFACE = `${LOGIND}.Manager`;
const MEMBERS: Readonly<Record<string, Going>> = { PrepareForShutdown: 'shutdown', PrepareForSleep: 'sleep' };
const RULES = Object.keys(MEMBERS).map(
  (member) => `type='signal',sender='${LOGIND}',interface='${INTERFACE}',member='${member}'`,
);

/** Until the bus is looked for again after it was lost; each time twice as long, up to a minute. */
const FIRST_LOOK_MS = 1_000;
const LONGEST_LOOK_MS = 60_000;

export interface LogindWatchOptions extends MachineEars {
  /** Longest time that the machine is kept waiting for one save. */
  readonly limitMs: () => number;
}

export class LogindWatch {
  readonly #options: LogindWatchOptions;
  #state = AWAKE;
  #bus: SystemBus | null = null;
  #lock: DelayLock | null = null;
  /** Locks that are being let go of. */
  readonly #released = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | null = null;
  #again: NodeJS.Timeout | null = null;
  #isClosed = false;
  #opened: Promise<boolean>;

  constructor(options: LogindWatchOptions) {
    this.#options = options;
    this.#opened = process.platform === 'linux' ? this.#open() : Promise.resolve(false);
  }

  /** The machine is going down: a SIGTERM that follows is from it. */
  get isShuttingDown(): boolean {
    return this.#state.going === 'shutdown';
  }

  /** What the session told: the end of the save that the machine waits for is among it. */
  take(event: SupervisorEvent): void {
    const { going, saving } = this.#state;
    if (!saving || going === null) return;
    const isSave = event.name === 'saved' || event.name === 'save-failed';
    if ((isSave && event.kinds.includes(going)) || event.name === 'worker-ended') this.#happen({ type: 'save-over' });
  }

  /** Resolves when nobody holds a lock for us any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#again !== null) clearTimeout(this.#again);
    this.#bus?.close();
    await this.#opened;
    this.#letGo();
    await Promise.all(this.#released);
  }

  /** False: there is no logind to be heard. */
  async #open(): Promise<boolean> {
    const { environment, nowMs } = this.#options;
    const bus = await SystemBus.open(environment, LOGIND, RULES, {
      signal: ({ interface: name, member, truth }) => {
        const going = name === INTERFACE && member !== null ? MEMBERS[member] : undefined;
        if (going === undefined || truth === null) return;
        this.#happen({ type: 'announced', going, begins: truth, nowMs: nowMs() });
      },
      lost: (reason) => {
        // A lock that nobody would let go of in time only delays.
        this.#letGo();
        this.#notice(`nothing is heard of logind any more (${reason}): before a shutdown or sleep nothing is saved`);
        this.#lookAgain(FIRST_LOOK_MS);
      },
    });
    if (bus === null) return false;
    this.#bus = bus;
    if (this.#isClosed) bus.close();
    else this.#hold();
    return true;
  }

  #lookAgain(afterMs: number): void {
    if (this.#isClosed) return;
    this.#again = setTimeout(() => {
      this.#opened = this.#open();
      void this.#opened.then((isHeard) => {
        if (!isHeard) return this.#lookAgain(Math.min(2 * afterMs, LONGEST_LOOK_MS));
        // What was announced before it was lost is over, or is announced no more.
        this.#state = AWAKE;
        this.#options.tell({ name: 'notice', level: 'info', message: 'logind is heard again' });
      });
    }, afterMs);
    // Nobody stays for it.
    this.#again.unref();
  }

  #happen(event: LogindEvent): void {
    if (this.#isClosed) return;
    const { state, actions } = judgeLogind(this.#state, event);
    this.#state = state;
    for (const action of actions) this.#act(action);
  }

  #act(action: LogindAction): void {
    const { tell, save, limitMs, onWoke } = this.#options;
    switch (action.type) {
      case 'tell-going':
        tell({ name: 'machine-going', going: action.going });
        return;
      case 'save':
        if (!save(action.going)) this.#happen({ type: 'save-over' });
        else this.#timer = setTimeout(() => this.#happen({ type: 'save-over' }), limitMs());
        return;
      case 'let-go':
        this.#letGo();
        return;
      case 'hold':
        this.#hold();
        return;
      case 'woke':
        onWoke(action.forMs);
        tell({ name: 'machine-woke' });
        return;
    }
  }

  #hold(): void {
    const words = Object.values<string>(ENVIRONMENT);
    // Nobody is to take it for a worker of the session.
    const environment = Object.entries(this.#options.environment).filter(([name]) => !words.includes(name));
    this.#lock ??= new DelayLock({
      environment: Object.fromEntries(environment),
      why: 'saves the training first',
      onProblem: (message) => {
        this.#lock = null;
        this.#notice(`no delay lock of logind, so that a save before a shutdown may come too late: ${message}`);
      },
    });
  }

  #letGo(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#lock === null) return;
    const over = this.#lock.release();
    this.#lock = null;
    this.#released.add(over);
    void over.then(() => this.#released.delete(over));
  }

  #notice(message: string): void {
    this.#options.tell({ name: 'notice', level: 'warning', message });
  }
}
