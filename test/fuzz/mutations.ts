/** Ways in which bytes go wrong: a disk, a cable, a hand. */
import fc from 'fast-check';

export type Mutation = (bytes: Uint8Array) => Uint8Array;

const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const at = (share: number, bytes: Uint8Array): number => Math.floor(share * bytes.length);

const flip: fc.Arbitrary<Mutation> = fc.tuple(place, fc.nat(7)).map(([share, bit]) => (bytes) => {
  const copy = Uint8Array.from(bytes);
  const index = at(share, bytes);
  copy[index] = (copy[index] ?? 0) ^ (1 << bit);
  return copy;
});

/** A stretch that was never written, or written twice, or comes from elsewhere. */
const overwrite: fc.Arbitrary<Mutation> = fc
  .tuple(place, fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.constant(new Uint8Array(512))))
  .map(([share, with_]) => (bytes) => {
    const copy = Uint8Array.from(bytes);
    const index = at(share, bytes);
    copy.set(with_.subarray(0, copy.length - index), index);
    return copy;
  });

const cut: fc.Arbitrary<Mutation> = place.map((share) => (bytes) => bytes.slice(0, at(share, bytes)));

const insert: fc.Arbitrary<Mutation> = fc
  .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 32 }))
  .map(([share, more]) => (bytes) => {
    const index = at(share, bytes);
    return Uint8Array.from([...bytes.subarray(0, index), ...more, ...bytes.subarray(index)]);
  });

const remove: fc.Arbitrary<Mutation> = fc
  .tuple(place, fc.integer({ min: 1, max: 64 }))
  .map(([share, length]) => (bytes) => {
    const index = at(share, bytes);
    return Uint8Array.from([...bytes.subarray(0, index), ...bytes.subarray(index + length)]);
  });

const move: fc.Arbitrary<Mutation> = fc
  .tuple(place, place, fc.integer({ min: 1, max: 64 }))
  .map(([from, to, length]) => (bytes) => {
    const copy = Uint8Array.from(bytes);
    const target = at(to, bytes);
    const source = bytes.subarray(at(from, bytes), at(from, bytes) + length);
    copy.set(source.subarray(0, copy.length - target), target);
    return copy;
  });

/** One to three of them, one after the other. */
export const mutations: fc.Arbitrary<Mutation> = fc
  .array(fc.oneof(flip, overwrite, cut, insert, remove, move), { minLength: 1, maxLength: 3 })
  .map((list) => (bytes) => list.reduce((current, mutation) => mutation(current), bytes));
