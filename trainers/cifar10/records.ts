/**
 * Images in the form of CIFAR-10's binary files: records of one byte for the class and 3 x 1024 for the red, green and
 * blue planes, row by row. Bytes all the way; a batch becomes floats only when it is trained on.
 */
export const SIDE = 32;
export const CHANNELS = 3;
export const PLANE = SIDE * SIDE;
export const RECORD_BYTES = 1 + CHANNELS * PLANE;
export const CLASSES = 10;

/** Planes and class of each image of a batch. */
export interface RecordBatch {
  readonly images: readonly Uint8Array[];
  readonly labels: Uint8Array;
}

/** `run.batches()` takes it as it is. */
export class Records {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get length(): number {
    return this.bytes.length / RECORD_BYTES;
  }

  /** Views of the images, no copies. */
  take(indices: Int32Array): RecordBatch {
    const starts = Array.from(indices, (index) => index * RECORD_BYTES);
    return {
      images: starts.map((start) => this.bytes.subarray(start + 1, start + RECORD_BYTES)),
      labels: Uint8Array.from(starts, (start) => this.bytes[start] ?? 0),
    };
  }

  first(count: number): Records {
    return new Records(this.bytes.subarray(0, count * RECORD_BYTES));
  }

  /** In order, without shuffling: for evaluation. */
  *inOrder(size: number): Generator<RecordBatch> {
    for (let first = 0; first < this.length; first += size) {
      yield this.take(Int32Array.from({ length: Math.min(size, this.length - first) }, (_, at) => first + at));
    }
  }
}
