/** `gpu --json`, version 1: sizes in bytes, everything else with its unit in its name; null with its reason under `absent`. */
import { faultsOf } from '../../gpu/card-book.ts';
import { clockReasonsOf } from '../../gpu/clock-reasons.ts';
import { processesOn, type SeenCard } from '../../gpu/look.ts';
import type { GpuReport } from './gpu-words.ts';

const MIB = 1024 * 1024;

export function gpuJson({ cards, driverVersion, cudaVersion, troubles, xids }: GpuReport): object {
  return { version: 1, driverVersion, cudaVersion, cards: cards.map(cardJson), troubles, xids };
}

function cardJson(card: SeenCard): object {
  const { sample, inventory } = card;
  const { memoryTotalMib, memoryUsedMib, memoryFreeMib, clockReasons, driverVersion: _, ...values } = sample.values;
  return {
    ...values,
    memoryTotalBytes: bytes(memoryTotalMib),
    memoryUsedBytes: bytes(memoryUsedMib),
    memoryFreeBytes: bytes(memoryFreeMib),
    clockReasons: clockReasons === null ? null : clockReasonsOf(clockReasons),
    absent: Object.fromEntries(
      Object.entries(sample.absent).map(([key, reason]) => [key.replace(/Mib$/, 'Bytes'), reason]),
    ),
    limits:
      inventory === null
        ? null
        : {
            ...inventory.temperature,
            powerDefaultW: inventory.powerDefaultW,
            powerMinW: inventory.powerMinW,
            powerMaxW: inventory.powerMaxW,
          },
    processes:
      processesOn(card)?.map(({ pid, name, memoryMib }) => ({ pid, name, memoryBytes: bytes(memoryMib) })) ?? null,
    faults: faultsOf(sample),
  };
}

function bytes(mib: number | null): number | null {
  return mib === null ? null : mib * MIB;
}
