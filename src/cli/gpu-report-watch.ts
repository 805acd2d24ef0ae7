/** Keeps a report on the cards fresh: rows each second from one long-lived nvidia-smi, everything else now and then. */
import { performance } from 'node:perf_hooks';
import { keepRow } from '../gpu/card-book.ts';
import { GpuWatch } from '../gpu/gpu-watch.ts';
import type { GpuSample } from '../gpu/sample.ts';
import { smiCommand } from '../gpu/smi-command.ts';
import type { SmiTrouble } from '../gpu/smi-trouble.ts';
import type { CommandContext } from './context.ts';
import type { GpuReport } from './render/gpu-words.ts';

const PERIOD_MS = 1_000;
/** Processes, limits and Xid messages: each look starts four programs. */
const LOOK_MS = 30_000;

/** @returns the newest report, after Ctrl-C or when nobody reads any more */
export async function watchReport(
  first: GpuReport,
  look: () => Promise<GpuReport>,
  { environment, signals, streams }: CommandContext,
  show: (report: GpuReport) => void,
): Promise<GpuReport> {
  let report = first;
  let trouble: SmiTrouble | null = null;
  let isLooking = false;
  let lookedMs = performance.now();
  const now = (): GpuReport => (trouble === null ? report : { ...report, troubles: [trouble] });
  const watch = new GpuWatch({
    command: smiCommand(environment),
    periodMs: PERIOD_MS,
    ears: {
      sample: (sample) => {
        report = withSample(report, sample);
      },
      trouble: (told) => {
        trouble = told;
      },
    },
  });
  const tick = (): void => {
    show(now());
    if (isLooking || performance.now() - lookedMs < LOOK_MS) return;
    isLooking = true;
    void look().then((seen) => {
      isLooking = false;
      lookedMs = performance.now();
      // One that failed in part must not take the cards off the screen: the watch tells what is wrong.
      if (seen.cards.length > 0) report = seen;
    });
  };
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (streams.outLost()) stop();
      else tick();
    }, PERIOD_MS);
    const stop = (): void => {
      clearInterval(timer);
      resolve();
    };
    signals.listen(stop);
  });
  watch.close();
  return now();
}

function withSample(report: GpuReport, sample: GpuSample): GpuReport {
  const book = report.cards.map(({ key, sample: before }) => ({ key, sample: before }));
  const { key } = keepRow(book, sample);
  return { ...report, cards: report.cards.map((card) => (card.key === key ? { ...card, sample } : card)) };
}
