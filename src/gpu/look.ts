/** All that can be known of the cards at one moment: for `nkat-recover gpu`, and for what is kept with a crash. */
import { type CardBook, keepRow } from './card-book.ts';
import { chooseColumns, FIELD_KEYS, readKnownNames, readRefusedName } from './fields.ts';
import { type Header, readHeader } from './header.ts';
import { type CardInventory, cardOf, type Inventory, readInventory } from './inventory.ts';
import { type GpuProcess, processQuery, readProcesses } from './processes.ts';
import { readRow } from './sample.ts';
import { type AskLimits, askSmi, type SmiAnswer } from './smi-ask.ts';
import type { SmiCommand } from './smi-command.ts';
import type { SmiTrouble } from './smi-trouble.ts';

/** Without persistence mode the driver wakes the cards first. */
const ANSWER_MS = 20_000;
const MAX_BYTES = 1024 * 1024;
/** One card has some 60 KiB. */
const MAX_INVENTORY_BYTES = 16 * 1024 * 1024;

export interface SeenCard {
  readonly key: string;
  readonly sample: CardBook[number]['sample'];
  /** Null: the inventory has no such card, or could not be had. */
  readonly inventory: CardInventory | null;
  /** Null: the list could not be had. */
  readonly processes: readonly GpuProcess[] | null;
}

/** Who holds the card's memory: the inventory knows of graphics too, where it has any; null: neither list could be had. */
export function processesOn({
  inventory,
  processes,
}: SeenCard): readonly Pick<GpuProcess, 'pid' | 'name' | 'memoryMib'>[] | null {
  return inventory?.processes.length ? inventory.processes : processes;
}

export interface GpuLook {
  readonly cards: readonly SeenCard[];
  readonly driverVersion: string | null;
  readonly cudaVersion: string | null;
  /** What stood in the way: of everything where there is no card, else of a part. */
  readonly troubles: readonly SmiTrouble[];
}

/**
 * Takes three times `answerMs` at most, however badly the driver hangs; whatever fails is a trouble.
 *
 * @param answerMs for one answer of nvidia-smi
 */
export async function lookAtCards(
  command: SmiCommand,
  nowMs: () => number,
  answerMs: number = ANSWER_MS,
): Promise<GpuLook> {
  const limits = { timeoutMs: answerMs, maxBytes: MAX_BYTES };
  const rows = await askRows(command, nowMs, limits);
  if (rows.trouble !== null) return { cards: [], driverVersion: null, cudaVersion: null, troubles: [rows.trouble] };
  const [processes, inventory] = await Promise.all([
    askSmi(command, processQuery(), limits),
    askSmi(command, ['-q', '-x'], { timeoutMs: answerMs, maxBytes: MAX_INVENTORY_BYTES }),
  ]);
  const listed = processes.kind === 'answered' ? readProcesses(processes.text) : null;
  const read = inventory.kind === 'answered' ? readInventory(inventory.text) : null;
  const troubles = [processes, inventory].flatMap((answer) => (answer.kind === 'trouble' ? [answer.trouble] : []));
  if (inventory.kind === 'answered' && read === null) troubles.push(UNREADABLE);
  const cards = rows.book.map(({ key, sample }) => ({
    key,
    sample,
    inventory: cardOf(read?.cards ?? [], key, sample.values.busId),
    processes: listed?.filter(({ gpuUuid }) => gpuUuid === key) ?? null,
  }));
  const driverVersion = read?.driverVersion ?? rows.book[0]?.sample.values.driverVersion ?? null;
  return { cards, driverVersion, cudaVersion: read?.cudaVersion ?? null, troubles };
}

/** Null: it could not be had, in time or at all. */
export async function askInventory(command: SmiCommand): Promise<Inventory | null> {
  const answer = await askSmi(command, ['-q', '-x'], { timeoutMs: ANSWER_MS, maxBytes: MAX_INVENTORY_BYTES });
  return answer.kind === 'answered' ? readInventory(answer.text) : null;
}

const UNREADABLE: SmiTrouble = {
  kind: 'failed',
  words: 'the inventory that nvidia-smi prints (-q -x) cannot be read',
  hint: null,
};

type Rows = { readonly trouble: SmiTrouble } | { readonly trouble: null; readonly book: CardBook };

async function askRows(command: SmiCommand, nowMs: () => number, limits: AskLimits): Promise<Rows> {
  const help = await askSmi(command, ['--help-query-gpu'], limits);
  if (help.kind === 'trouble' && (help.trouble.kind === 'missing' || help.trouble.kind === 'stuck')) {
    return { trouble: help.trouble };
  }
  const known = help.kind === 'answered' ? readKnownNames(help.text) : null;
  const refused = new Set<string>();
  for (;;) {
    const query = chooseColumns(known, refused).map(({ name }) => name);
    const answer = await askSmi(command, [`--query-gpu=${query.join(',')}`, '--format=csv,nounits'], limits);
    if (answer.kind === 'answered') return { trouble: null, book: readBook(answer.text, nowMs()) };
    const name = refusedIn(answer);
    if (name === null || refused.has(name) || refused.size >= 2 * FIELD_KEYS.length) return { trouble: answer.trouble };
    refused.add(name);
  }
}

function refusedIn(answer: Extract<SmiAnswer, { kind: 'trouble' }>): string | null {
  for (const line of answer.said.split(/\r?\n/)) {
    const name = readRefusedName(line);
    if (name !== null) return name;
  }
  return null;
}

function readBook(text: string, atMs: number): CardBook {
  let header: Header | null = null;
  let book: CardBook = [];
  for (const line of text.split(/\r?\n/)) {
    header ??= readHeader(line);
    const sample = header === null ? null : readRow(header, line, atMs);
    if (sample !== null) book = keepRow(book, sample).book;
  }
  return book;
}
