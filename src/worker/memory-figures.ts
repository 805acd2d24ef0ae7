/** What an emergency save tells of the memory, for whoever looks for the cause: bytes and counts by name. */
import { freemem } from 'node:os';
import type { TrainingState } from './state.ts';

/** Of this process, of its framework and of the host; to be taken in the training loop's own thread. */
export function memoryFigures(state: TrainingState): Readonly<Record<string, number>> {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    processRssBytes: rss,
    heapTotalBytes: heapTotal,
    heapUsedBytes: heapUsed,
    externalBytes: external,
    arrayBufferBytes: arrayBuffers,
    hostFreeBytes: freemem(),
    ...state.memory?.(),
  };
}
