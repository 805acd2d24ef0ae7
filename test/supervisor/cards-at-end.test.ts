/** What the cards have to say of a worker's end, and when nobody asks them. */
import { expect, test } from 'vitest';
import { LOAD_UNKNOWN } from '../../src/gpu/policy/card-load.ts';
import type { CardLoss } from '../../src/gpu/policy/card-loss.ts';
import { NEW_CARD } from '../../src/gpu/policy/card-policy.ts';
import { troubleOf } from '../../src/gpu/smi-trouble.ts';
import { readXid, type XidMessage } from '../../src/gpu/xid.ts';
import { type CardWitness, cardsAtEnd } from '../../src/supervisor/cards-at-end.ts';
import type { Held } from '../../src/supervisor/held-card.ts';

const KILLED = { code: null, signal: 'SIGABRT', source: 'exit' } as const;
const LOST: CardLoss = { words: 'GPU 0: it is lost', hint: 'Reboot' };

function card(loss: CardLoss | null): Held {
  return {
    key: 'GPU-1',
    busId: '00000000:01:00.0',
    facts: { card: 'GPU 0', heat: null, profile: null },
    state: NEW_CARD,
    readMs: 0,
    loss,
    healthyRows: 0,
    load: LOAD_UNKNOWN,
    memoryUsedMib: null,
    memoryBeforeMib: null,
  };
}

function xid(number: number): XidMessage[] {
  return [readXid(`NVRM: Xid (PCI:0000:01:00): ${number}, pid=4242, name=node, words`) ?? []].flat();
}

/** A machine with one card that the worker uses, whose kernel's log has an Xid 79; asks are counted. */
function witness(over: Partial<CardWitness> = {}): { readonly asks: string[]; readonly facts: CardWitness } {
  const asks: string[] = [];
  const facts: CardWitness = {
    seen: () => 1,
    used: () => [card(null)],
    trouble: () => null,
    isElsewhere: false,
    xids: async (buses) => {
      asks.push(`xids of ${buses}`);
      return xid(79);
    },
    nextRow: async () => void asks.push('next row'),
    ...over,
  };
  return { asks, facts };
}

test('a worker that says why it ended is believed: neither its card nor the log is asked', async () => {
  for (const code of [0, 75, 78, 93]) {
    const { asks, facts } = witness({ used: () => [card(LOST)] });
    expect(await cardsAtEnd({ code, signal: null, source: 'exit' }, [], facts)).toBeNull();
    expect(asks).toEqual([]);
  }
});

test('a machine where no card was ever seen has nothing to say, unless nvidia-smi itself says that one is lost', async () => {
  const none = { seen: () => 0, used: () => [] };
  for (const trouble of [null, troubleOf(9, '')]) {
    const { asks, facts } = witness({ ...none, trouble: () => trouble });
    expect(await cardsAtEnd(KILLED, [], facts)).toBeNull();
    expect(asks).toEqual([]);
  }
  const { facts } = witness({ ...none, trouble: () => troubleOf(15, ''), xids: async () => [] });
  expect((await cardsAtEnd(KILLED, [], facts))?.loss?.hint).toContain('Reboot');
});

test('a worker that computes elsewhere is not judged by the Xids of others, but by its own words', async () => {
  const { asks, facts } = witness({ used: () => [], isElsewhere: true });
  expect(await cardsAtEnd(KILLED, [], facts)).toEqual({ loss: null, xid: null });
  expect((await cardsAtEnd(KILLED, ['GPU is lost'], facts))?.loss?.words).toBe('GPU is lost');
  expect(asks).toEqual([]);
});

test('its row goes before the kernel log, and that before its own words', async () => {
  const lines = ['CUDA error: uncorrectable ECC error encountered'];
  const seen = witness({ used: () => [card(LOST)] });
  expect((await cardsAtEnd(KILLED, lines, seen.facts))?.loss).toBe(LOST);
  const logged = witness();
  expect((await cardsAtEnd(KILLED, lines, logged.facts))?.loss?.words).toContain('Xid 79');
  expect(logged.asks).toEqual(['xids of 00000000:01:00.0']);
  const said = witness({ xids: async () => xid(31) });
  const found = await cardsAtEnd(KILLED, lines, said.facts);
  expect(found).toMatchObject({ loss: { words: lines[0] }, xid: expect.stringContaining('Xid 31') });
});

test('the next row of a card is waited for only where the worker spoke of its card in the end', async () => {
  let row: CardLoss | null = null;
  const quiet = witness({ xids: async () => [] });
  expect((await cardsAtEnd(KILLED, ['Segmentation fault'], quiet.facts))?.loss).toBeNull();
  expect(quiet.asks).toEqual([]);
  const { facts } = witness({
    xids: async () => [],
    used: () => [card(row)],
    nextRow: async () => {
      row = LOST;
    },
  });
  expect((await cardsAtEnd(KILLED, ['CUDA error: unspecified launch failure'], facts))?.loss).toBe(LOST);
});
