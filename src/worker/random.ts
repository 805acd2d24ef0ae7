/**
 * The seeded generator behind `run.random`: sfc32 (Chris Doty-Humphrey's small fast chaotic generator, as tested
 * in PractRand), 128 bits of state, so that a checkpoint can carry it in four integers.
 */

/** The four 32-bit words of the generator. */
export type RandomState = readonly [number, number, number, number];

/** A drop-in for `Math.random` whose sequence is saved and put back. */
export interface RandomGenerator {
  /** Uniform in [0, 1) with 53 random bits. */
  (): number;
  /** Uniform integer in [0, limit). @throws RangeError unless limit is an integer from 1 to 2^32. */
  integer(limit: number): number;
  /** Normally distributed, mean 0 and standard deviation 1 (Box-Muller; nothing is cached between calls). */
  normal(): number;
  /** Shuffles in place (Fisher-Yates) and returns its argument. */
  shuffle<T>(items: T[]): T[];
}

/** A generator whose state can be read and put back. */
export interface StatefulRandom {
  readonly generator: RandomGenerator;
  state(): RandomState;
  putBack(state: RandomState): void;
}

/** @param seed any integer; its low 32 bits count. @param stream separates generators of one seed. */
export function seededRandom(seed: number, stream = 0): StatefulRandom {
  const words = new Uint32Array([seed, stream, 0x9e3779b9, 1]);
  for (let round = 0; round < 16; round++) next32(words);
  const generator = Object.assign(() => uniform(words), {
    integer: (limit: number) => boundedInteger(words, limit),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform(words))) * Math.cos(2 * Math.PI * uniform(words)),
    shuffle: <T>(items: T[]): T[] => {
      for (let last = items.length - 1; last > 0; last--) {
        const other = boundedInteger(words, last + 1);
        const item = items[last] as T;
        items[last] = items[other] as T;
        items[other] = item;
      }
      return items;
    },
  });
  return {
    generator,
    state: () => [words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, words[3] ?? 0],
    putBack: (state) => words.set(state),
  };
}

function next32(words: Uint32Array): number {
  const [a, b, c, counter] = words as unknown as [number, number, number, number];
  const output = (a + b + counter) >>> 0;
  words[0] = b ^ (b >>> 9);
  words[1] = c + (c << 3);
  words[2] = ((c << 21) | (c >>> 11)) + output;
  words[3] = counter + 1;
  return output;
}

function uniform(words: Uint32Array): number {
  const high = next32(words) >>> 5;
  const low = next32(words) >>> 6;
  return (high * 67_108_864 + low) / 9_007_199_254_740_992;
}

function boundedInteger(words: Uint32Array, limit: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) {
    throw new RangeError(`limit must be an integer from 1 to 2^32, not ${limit}`);
  }
  // Rejection keeps it unbiased: values past the last whole multiple of the limit are drawn again.
  const usable = 2 ** 32 - (2 ** 32 % limit);
  let value = next32(words);
  while (value >= usable) value = next32(words);
  return value % limit;
}
