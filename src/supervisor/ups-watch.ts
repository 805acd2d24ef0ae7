/** Looks at the UPS every two seconds while a session is supervised, and hands on what follows. */
import { UpsClient } from '../power/ups-client.ts';
import { FRESH_UPS, judgeUps, type UpsAction } from '../power/ups-policy.ts';
import { formatUps, type UpsAddress } from '../ups-address.ts';
import type { SupervisorEvent } from './events.ts';

const LOOK_MS = 2_000;

export interface UpsWatchOptions {
  readonly address: UpsAddress;
  readonly tell: (event: SupervisorEvent) => void;
  readonly save: (reason: string) => void;
  readonly stop: (reason: string) => void;
  readonly nowMs: () => number;
}

export class UpsWatch {
  readonly #options: UpsWatchOptions;
  readonly #client: UpsClient;
  #state = FRESH_UPS;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: UpsWatchOptions) {
    this.#options = options;
    this.#client = new UpsClient(options.address);
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#client.close();
  }

  async #look(): Promise<void> {
    const report = await this.#client.ask();
    if (this.#closed) return;
    const { state, actions } = judgeUps(this.#state, report, this.#options.nowMs());
    this.#state = state;
    for (const action of actions) this.#act(action);
    this.#timer = setTimeout(() => void this.#look(), LOOK_MS);
  }

  #act(action: UpsAction): void {
    const { address, tell, save, stop } = this.#options;
    const ups = formatUps(address);
    if (action.type === 'tell') tell({ name: 'ups-changed', ups, power: action.power, reason: action.reason });
    else if (action.type === 'save') save(action.reason);
    else stop(action.reason);
  }
}
