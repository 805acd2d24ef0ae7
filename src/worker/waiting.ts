/** The training loop waiting at a boundary: alive, told as waiting, and awake for whatever is ordered. */
import type { ControlBlock, WaitReason } from './control-block.ts';
import type { SessionLink } from './session-link.ts';
import type { Throttle } from './throttle.ts';

/** How often a waiting loop shows that it is alive. */
const BEAT_MS = 1_000;

/** Resolves at the first of these, or after `longestMs`, at most a second: the caller looks again. */
export async function waitAwhile(
  { control, link }: { readonly control: ControlBlock; readonly link: SessionLink },
  reason: WaitReason,
  until: readonly Promise<void>[],
  longestMs = BEAT_MS,
): Promise<void> {
  control.waiting = reason;
  control.beat(process.hrtime.bigint());
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(BEAT_MS, longestMs));
  });
  try {
    await link.holding(Promise.race([...until, pause]));
  } finally {
    clearTimeout(timer);
    control.waiting = null;
    control.beat(process.hrtime.bigint());
  }
}

/** One round of a rest that a hot card needs; false: none is due. */
export async function restAwhile(
  loop: { readonly control: ControlBlock; readonly link: SessionLink },
  throttle: Throttle,
  changed: Promise<void>,
): Promise<boolean> {
  const fromMs = performance.now();
  const restMs = throttle.restMs(fromMs);
  if (restMs === 0) return false;
  await waitAwhile(loop, 'heat', [changed], restMs);
  throttle.rested(performance.now() - fromMs);
  return true;
}
