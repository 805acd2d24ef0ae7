/**
 * The memory that the training loop and the SDK's thread share, so that each sees the other without a message: the
 * thread reads counter and age of the last step while the loop is blocked, the loop learns with one load whether
 * anything came in.
 */

const INBOX = 0;
const PHASE = 1;
const WAITING = 2;
const STEP = 0;
const EPOCH = 1;
const BEAT_NS = 2;
const BYTES = 64;
/** Offset of the 64-bit words. */
const WIDE = 16;

/** What a loop that makes no steps on purpose waits for. */
export const WAIT_REASONS = ['space', 'pause', 'heat'] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

export class ControlBlock {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #wide: BigInt64Array<SharedArrayBuffer>;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(BYTES)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, 3);
    this.#wide = new BigInt64Array(buffer, WIDE, 3);
  }

  /** Number of messages that the thread has posted to the training loop, modulo 2^32. */
  get inbox(): number {
    return Atomics.load(this.#words, INBOX);
  }

  /** The thread calls this after each message that it posted; wakes a loop that waits in its exit handler. */
  announce(): void {
    Atomics.add(this.#words, INBOX, 1);
    Atomics.notify(this.#words, INBOX);
  }

  /** Blocks the calling thread until the inbox moves past `seen`, at most `timeoutMs`. */
  waitForInbox(seen: number, timeoutMs: number): void {
    Atomics.wait(this.#words, INBOX, seen, timeoutMs);
  }

  /** Index into the protocol's phases. */
  get phase(): number {
    return Atomics.load(this.#words, PHASE);
  }

  set phase(index: number) {
    Atomics.store(this.#words, PHASE, index);
  }

  /** Null: it does not wait. */
  get waiting(): WaitReason | null {
    return WAIT_REASONS[Atomics.load(this.#words, WAITING) - 1] ?? null;
  }

  set waiting(reason: WaitReason | null) {
    Atomics.store(this.#words, WAITING, reason === null ? 0 : WAIT_REASONS.indexOf(reason) + 1);
  }

  get step(): number {
    return Number(Atomics.load(this.#wide, STEP));
  }

  get epoch(): number {
    return Number(Atomics.load(this.#wide, EPOCH));
  }

  /** Completed steps and epochs; only the training loop writes them. */
  position(step: number, epoch: number): void {
    Atomics.store(this.#wide, STEP, BigInt(step));
    Atomics.store(this.#wide, EPOCH, BigInt(epoch));
  }

  /** Marks a sign of life of the training loop. @param now `process.hrtime.bigint()`, the same clock in all threads. */
  beat(now: bigint): void {
    Atomics.store(this.#wide, BEAT_NS, now);
  }

  /** Milliseconds since the last sign of life; 0 before the first. */
  beatAgeMs(now: bigint): number {
    const last = Atomics.load(this.#wide, BEAT_NS);
    return last === 0n ? 0 : Math.max(0, Number(now - last) / 1e6);
  }
}
