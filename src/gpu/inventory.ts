/**
 * What only `nvidia-smi -q -x` tells: a card's own limits, its processes of every kind, its MIG instances. Source of the names: the
 * DTDs v10 to v13 and what cards print under drivers 418 to 610. Whatever is not there or not told is null.
 */
import { readPlaceholder } from './absent.ts';
import { sameBus } from './xid.ts';
import { all, child, readXml, type XmlElement } from './xml-elements.ts';

export interface TemperatureLimits {
  /** The card holds itself below this. */
  readonly targetC: number | null;
  readonly maxOperatingC: number | null;
  /** Here its clocks are cut hard. */
  readonly slowdownC: number | null;
  /** Here it switches itself off. */
  readonly shutdownC: number | null;
  /**
   * The same as margins, on cards that report T.Limit: how much is left of `temperatureMarginC` when it happens (0: at the limit, below
   * 0: beyond it).
   */
  readonly maxOperatingMarginC: number | null;
  readonly slowdownMarginC: number | null;
  readonly shutdownMarginC: number | null;
}

export interface InventoryProcess {
  readonly pid: number;
  /** `C` computes, `G` draws, `C+G` both. */
  readonly type: string;
  readonly name: string;
  readonly memoryMib: number | null;
}

export interface MigInstance {
  readonly index: number;
  readonly memoryTotalMib: number | null;
  readonly memoryUsedMib: number | null;
}

export interface CardInventory {
  readonly uuid: string | null;
  readonly busId: string | null;
  readonly name: string | null;
  readonly temperature: TemperatureLimits;
  readonly powerDefaultW: number | null;
  readonly powerMinW: number | null;
  readonly powerMaxW: number | null;
  readonly processes: readonly InventoryProcess[];
  readonly instances: readonly MigInstance[];
}

export interface Inventory {
  readonly driverVersion: string | null;
  readonly cudaVersion: string | null;
  readonly cards: readonly CardInventory[];
}

/** The card that a row tells of, by its UUID or its place; null: the inventory has no such card. */
export function cardOf(cards: readonly CardInventory[], key: string, busId: string | null): CardInventory | null {
  const isIt = (card: CardInventory): boolean =>
    card.uuid === key || (busId !== null && card.busId !== null && sameBus(card.busId, busId));
  return cards.find(isIt) ?? null;
}

/** Null: the text is no inventory, or it was cut. */
export function readInventory(text: string): Inventory | null {
  const root = readXml(text);
  if (root === null || root.name !== 'nvidia_smi_log') return null;
  return {
    driverVersion: textOf(root, 'driver_version'),
    cudaVersion: textOf(root, 'cuda_version'),
    cards: all(root, 'gpu').map(readCard),
  };
}

function readCard(gpu: XmlElement): CardInventory {
  const power = child(gpu, 'gpu_power_readings') ?? child(gpu, 'power_readings');
  return {
    uuid: textOf(gpu, 'uuid'),
    busId: gpu.attributes.id ?? null,
    name: textOf(gpu, 'product_name'),
    temperature: readLimits(child(gpu, 'temperature')),
    powerDefaultW: quantity(power, 'default_power_limit', 'W'),
    powerMinW: quantity(power, 'min_power_limit', 'W'),
    powerMaxW: quantity(power, 'max_power_limit', 'W'),
    processes: all(child(gpu, 'processes'), 'process_info').flatMap((each) => readProcess(each) ?? []),
    instances: all(child(gpu, 'mig_devices'), 'mig_device').flatMap((each) => readInstance(each) ?? []),
  };
}

function readLimits(element: XmlElement | undefined): TemperatureLimits {
  const degrees = (name: string): number | null => quantity(element, name, 'C');
  return {
    targetC: degrees('gpu_target_temperature'),
    maxOperatingC: degrees('gpu_temp_max_gpu_threshold'),
    slowdownC: degrees('gpu_temp_slow_threshold'),
    shutdownC: degrees('gpu_temp_max_threshold'),
    maxOperatingMarginC: degrees('gpu_temp_max_gpu_tlimit_threshold'),
    slowdownMarginC: degrees('gpu_temp_slow_tlimit_threshold'),
    shutdownMarginC: degrees('gpu_temp_max_tlimit_threshold'),
  };
}

function readProcess(element: XmlElement): InventoryProcess | null {
  const pid = Number(textOf(element, 'pid') ?? Number.NaN);
  if (!Number.isSafeInteger(pid)) return null;
  return {
    pid,
    type: textOf(element, 'type') ?? '',
    name: textOf(element, 'process_name') ?? '',
    memoryMib: quantity(element, 'used_memory', 'MiB'),
  };
}

function readInstance(element: XmlElement): MigInstance | null {
  const index = Number(textOf(element, 'index') ?? Number.NaN);
  if (!Number.isSafeInteger(index)) return null;
  const memory = child(element, 'fb_memory_usage');
  return {
    index,
    memoryTotalMib: quantity(memory, 'total', 'MiB'),
    memoryUsedMib: quantity(memory, 'used', 'MiB'),
  };
}

function textOf(element: XmlElement | undefined, name: string): string | null {
  const text = child(element, name)?.text;
  return text === undefined || readPlaceholder(text) !== null ? null : text;
}

/** Null where another unit stands than the one that is meant. */
function quantity(element: XmlElement | undefined, name: string, unit: string): number | null {
  const match = /^(-?\d+(?:\.\d+)?) (\S+)$/.exec(textOf(element, name) ?? '');
  return match === null || match[2] !== unit ? null : Number(match[1]);
}
