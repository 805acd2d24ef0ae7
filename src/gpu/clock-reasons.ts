/** Why a card's clocks are below what was asked. Source of the bits: nvml.h, `nvmlClocksEventReason*`. */

const BITS = [
  [0x001, 'idle'],
  [0x002, 'application-clocks'],
  [0x004, 'power-cap'],
  [0x008, 'hardware-slowdown'],
  [0x010, 'sync-boost'],
  [0x020, 'software-thermal'],
  [0x040, 'hardware-thermal'],
  [0x080, 'power-brake'],
  [0x100, 'display-clocks'],
] as const;
export type ClockReason = (typeof BITS)[number][1];

/** Bits that nobody has named yet are left out. */
export function clockReasonsOf(mask: number): ClockReason[] {
  return BITS.filter(([bit]) => (mask & bit) !== 0).map(([, reason]) => reason);
}
