/** What `gpu` shows: one block a card, then what is wrong. */
import { faultsOf } from '../../gpu/card-book.ts';
import { clockReasonsOf } from '../../gpu/clock-reasons.ts';
import type { TemperatureLimits } from '../../gpu/inventory.ts';
import { type GpuLook, processesOn, type SeenCard } from '../../gpu/look.ts';
import type { GpuValues } from '../../gpu/sample.ts';
import { meansNoCards, type SmiTrouble } from '../../gpu/smi-trouble.ts';
import type { SeenXid, XidRemedy } from '../../gpu/xid.ts';
import { type Line, line } from './line.ts';
import { aboutAge, count } from './quantities.ts';

export interface GpuReport extends GpuLook {
  /** Newest last; null: the kernel's log may not be read here. */
  readonly xids: readonly SeenXid[] | null;
}

export function gpuWords(report: GpuReport): Line[] {
  return [
    ...report.cards.flatMap((card, index) => [...(index === 0 ? [] : [line('')]), ...cardWords(report, card)]),
    ...report.troubles.flatMap(troubleWords),
    ...xidWords(report.xids),
  ];
}

function cardWords({ driverVersion, cudaVersion }: GpuReport, card: SeenCard): Line[] {
  const { values } = card.sample;
  const driver = driverVersion === null ? null : `driver ${driverVersion}`;
  const head = [`GPU ${values.index ?? '?'}: ${values.name ?? 'a card that does not tell its name'}`, driver];
  if (cudaVersion !== null) head.push(`CUDA up to ${cudaVersion}`);
  const facts = [
    ['temperature', temperature(values, card.inventory?.temperature ?? null)],
    ['load', load(values)],
    ['memory', memory(values)],
    ['power', of(values.powerW, values.powerLimitW, 'W')],
    ['clock', of(values.clockMhz, values.clockMaxMhz, 'MHz')],
    ['held back by', heldBack(values)],
    ['fan', values.fanPercent === null ? null : `${values.fanPercent} %`],
  ] as const;
  return [
    line(head.filter((part) => part !== null).join(' · '), 'strong'),
    ...facts.flatMap(([name, text]) => (text === null ? [] : [line(`  ${name.padEnd(13)}${text}`)])),
    ...processWords(card),
    ...faultsOf(card.sample).map(({ words }) => line(`  GPU ${values.index ?? '?'}: ${words}`, 'bad')),
  ];
}

function temperature(values: GpuValues, limits: TemperatureLimits | null): string | null {
  if (values.temperatureC === null) return null;
  const parts = [`${values.temperatureC} C`];
  if (values.temperatureMarginC !== null) parts.push(`${values.temperatureMarginC} C below its limit`);
  if (limits?.targetC != null) parts.push(`holds ${limits.targetC}`);
  if (limits?.slowdownC != null) parts.push(`slows down at ${limits.slowdownC}`);
  if (limits?.shutdownC != null) parts.push(`off at ${limits.shutdownC}`);
  if (values.memoryTemperatureC !== null) parts.push(`memory ${values.memoryTemperatureC} C`);
  return parts.join(', ');
}

function load(values: GpuValues): string | null {
  if (values.utilizationPercent !== null) return `${values.utilizationPercent} %`;
  return values.migMode === true ? 'not told: the card is split into MIG instances' : null;
}

function memory({ memoryUsedMib, memoryTotalMib }: GpuValues): string | null {
  if (memoryUsedMib === null || memoryTotalMib === null) return null;
  return `${memoryUsedMib} of ${memoryTotalMib} MiB (${Math.round((100 * memoryUsedMib) / memoryTotalMib)} %)`;
}

function of(value: number | null, limit: number | null, unit: string): string | null {
  if (value === null) return null;
  return limit === null ? `${Math.round(value)} ${unit}` : `${Math.round(value)} of ${Math.round(limit)} ${unit}`;
}

function heldBack({ clockReasons }: GpuValues): string | null {
  const reasons = clockReasonsOf(clockReasons ?? 0).filter((reason) => reason !== 'idle');
  return reasons.length === 0 ? null : reasons.join(', ');
}

function processWords(card: SeenCard): Line[] {
  return (processesOn(card) ?? []).map(({ pid, name, memoryMib }) => {
    const share = memoryMib === null ? 'memory not told' : `${memoryMib} MiB`;
    return line(`  process ${String(pid).padEnd(8)} ${share}, ${name}`, 'faint');
  });
}

function troubleWords({ kind, words, hint }: SmiTrouble): Line[] {
  const tone = meansNoCards(kind) ? 'plain' : 'bad';
  return [line(`${sentence(words)}.`, tone), ...(hint === null ? [] : [line(`  ${hint}`)])];
}

/** The name of a program stays as it is. */
function sentence(words: string): string {
  return words.startsWith('nvidia-smi') ? words : `${words[0]?.toUpperCase() ?? ''}${words.slice(1)}`;
}

const REMEDIES: Readonly<Record<XidRemedy | 'unknown', string>> = {
  'restart-program': 'the program has to be started again',
  'reset-card': 'the card needs a reset',
  reboot: 'the machine needs a reboot',
  none: 'nothing has to be done',
  unknown: 'see the list of Xid errors of NVIDIA',
};

/** How many messages of the driver are shown; --json has all. */
const SHOWN = 5;

function xidWords(xids: readonly SeenXid[] | null): Line[] {
  if (xids === null || xids.length === 0) return [];
  const left = xids.length - SHOWN;
  return [
    line(`The driver reported ${count(xids.length, 'error')} since the machine was started:`, 'warning'),
    ...xids.slice(-SHOWN).map(({ number, busId, words, remedy, ageMs }) => {
      const age = ageMs === null ? '' : `, ${aboutAge(ageMs)} ago`;
      return line(`  Xid ${number} of ${busId}${age}: ${words}; ${REMEDIES[remedy]}`, 'warning');
    }),
    ...(left > 0 ? [line(`  and ${left} older`, 'faint')] : []),
  ];
}
