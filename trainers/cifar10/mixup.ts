/** Mixup: each image and its class blended with another one of its batch. */
import type { RandomGenerator } from 'nkat-recover/worker';
import { CLASSES } from './records.ts';

export interface Mixed {
  readonly pixels: Float32Array;
  /** Share of each class, a row of ten an image. */
  readonly targets: Float32Array;
}

/**
 * @param alpha of the Beta(alpha, alpha) distribution that the share is drawn from, over 0 to 1; 0: nothing is mixed,
 * and nothing is drawn
 */
export function mixed(pixels: Float32Array, labels: Uint8Array, alpha: number, random: RandomGenerator): Mixed {
  const count = labels.length;
  const share = alpha === 0 ? 1 : betaShare(alpha, random);
  const targets = new Float32Array(count * CLASSES);
  const values = share === 1 ? pixels : new Float32Array(pixels.length);
  const size = pixels.length / count;
  for (const [index, label] of labels.entries()) {
    // The order of a batch is drawn already, so its mirror image is a fair partner.
    const partner = count - 1 - index;
    targets[index * CLASSES + label] = share;
    const other = index * CLASSES + (labels[partner] ?? 0);
    targets[other] = (targets[other] ?? 0) + 1 - share;
    if (share === 1) continue;
    for (let at = 0; at < size; at++) {
      const one = pixels[index * size + at] ?? 0;
      values[index * size + at] = share * one + (1 - share) * (pixels[partner * size + at] ?? 0);
    }
  }
  return { pixels: values, targets };
}

/** Jöhnk's method, for alpha up to 1; in logarithms where the powers of a small alpha are nothing but zeros. */
function betaShare(alpha: number, random: RandomGenerator): number {
  for (;;) {
    const one = random();
    const other = random();
    const a = one ** (1 / alpha);
    const b = other ** (1 / alpha);
    if (a + b > 1) continue;
    if (a + b > 0) return a / (a + b);
    const share = 1 / (1 + Math.exp((Math.log(other) - Math.log(one)) / alpha));
    if (!Number.isNaN(share)) return share;
  }
}
