/** What `state.json` of a checkpoint says of itself, as far as a drill asks: the SDK alone knows all of it. */
import type { StoreFiles } from '../checkpoint/files.ts';
import { openCheckpoint } from '../checkpoint/open.ts';
import { decodeState } from '../checkpoint/state-json.ts';
import { NkatError } from '../errors.ts';
import { Invalid, integer, list, nullable, object, read, record, string } from '../schema.ts';

/** State versions that this release's SDK puts back. */
const KNOWN_VERSION = 1;

export interface OptimizerFacts {
  readonly className: string;
  /** Names of the weights that it has a memory of; empty before its first step. */
  readonly trained: readonly string[];
}

export interface StateFacts {
  /** By name, as `tfjsState` writes them; null: the state is the trainer's own, and says nothing of optimizers. */
  readonly optimizers: Readonly<Record<string, OptimizerFacts>> | null;
  /** Samples in each weight average, by the prefix of its tensors' names; none where nobody can tell. */
  readonly averages: Readonly<Record<string, number>>;
  /** Why the SDK of this release would not put it back; null: nothing speaks against it. */
  readonly incompatible: string | null;
}

const NO_FACTS: StateFacts = { optimizers: null, averages: {}, incompatible: null };

const UNLIMITED = Number.POSITIVE_INFINITY;
const text = string(UNLIMITED);
const headSchema = object({ version: integer(0) });
const averageSchema = object({ kind: text, updates: integer(0) });
const tfjsSchema = object({
  state: object({
    steps: integer(0),
    optimizers: record(object({ className: text, trained: list(text, 0, UNLIMITED) }), UNLIMITED),
    average: nullable(averageSchema),
  }),
});
/** Of a trainer with several; missing in states of earlier releases. */
const severalSchema = object({ state: object({ averages: record(averageSchema, UNLIMITED) }) });

/** @throws NkatError `checkpoint-damaged`, `checkpoint-unreadable`, `checkpoint-gone` */
export async function readStateFacts(files: StoreFiles, path: string, session: string): Promise<StateFacts> {
  const checkpoint = await openCheckpoint(files, path, session);
  try {
    return factsOfState(await checkpoint.state());
  } finally {
    await checkpoint.close();
  }
}

/** Pure. */
export function factsOfState(json: string): StateFacts {
  let value: unknown;
  try {
    value = decodeState(json);
  } catch (error) {
    if (!(error instanceof NkatError || error instanceof SyntaxError)) throw error;
    return { ...NO_FACTS, incompatible: `state.json cannot be understood: ${error.message}` };
  }
  const head = read(headSchema, value);
  if (head instanceof Invalid) return { ...NO_FACTS, incompatible: 'state.json is not that of a training run' };
  if (head.version > KNOWN_VERSION) {
    return { ...NO_FACTS, incompatible: `its state is of version ${head.version}, made by a newer SDK` };
  }
  const tfjs = read(tfjsSchema, value);
  if (tfjs instanceof Invalid) return NO_FACTS;
  const { optimizers, average } = tfjs.state;
  const several = read(severalSchema, value);
  const averages = {
    ...(average === null ? {} : { average }),
    ...(several instanceof Invalid ? {} : several.state.averages),
  };
  const updates = Object.entries(averages).map(([name, { updates }]) => [name, updates] as const);
  return { optimizers, averages: Object.fromEntries(updates), incompatible: null };
}
