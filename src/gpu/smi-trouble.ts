/** What went wrong with nvidia-smi itself, as data: how it ended, what it said, and what a person can do. */

export const TROUBLE_KINDS = [
  'missing',
  'stuck',
  'no-cards',
  'driver-not-loaded',
  'library-missing',
  'driver-mismatch',
  'card-lost',
  'reset-required',
  'failed',
] as const;
export type TroubleKind = (typeof TROUBLE_KINDS)[number];

/** A machine without cards, or without nvidia-smi: no reason to worry. */
export function meansNoCards(kind: TroubleKind): boolean {
  return kind === 'missing' || kind === 'no-cards';
}

export interface SmiTrouble {
  readonly kind: TroubleKind;
  /** One line for a person. */
  readonly words: string;
  /** What to do, one line; null: nothing is known to help. */
  readonly hint: string | null;
}

/** Return values of nvidia-smi(1), "RETURN VALUE"; 16 and 18 are those of nvmlReturn_t in nvml.h, which it hands on. */
const BY_CODE: ReadonlyMap<number, TroubleKind> = new Map([
  [9, 'driver-not-loaded'],
  [12, 'library-missing'],
  [15, 'card-lost'],
  [16, 'reset-required'],
  [18, 'driver-mismatch'],
]);

/** Some of these are said with another exit code, or with none. */
const BY_WORDS: readonly (readonly [RegExp, TroubleKind])[] = [
  [/GPU is lost/i, 'card-lost'],
  [/GPU requires reset/i, 'reset-required'],
  [/Driver\/library version mismatch/i, 'driver-mismatch'],
  [/couldn't communicate with the NVIDIA driver/i, 'driver-not-loaded'],
  [/couldn't find (?:the )?NVML|libnvidia-ml/i, 'library-missing'],
  [/No devices were found/i, 'no-cards'],
];

const FORMS: Readonly<Record<Exclude<TroubleKind, 'missing' | 'stuck' | 'failed'>, readonly [string, string | null]>> =
  {
    'no-cards': ['nvidia-smi finds no card', null],
    'driver-not-loaded': ['the NVIDIA driver is not loaded', 'Load it (modprobe nvidia) or reboot.'],
    'library-missing': ['the library of the NVIDIA driver (NVML) is missing', 'Install the driver again.'],
    'driver-mismatch': [
      'the NVIDIA driver was upgraded while it was in use: its library and its kernel module differ',
      'Reboot; a training that runs may go on until then.',
    ],
    'card-lost': [
      'a card has fallen off the bus',
      'Reboot the machine. If it comes back, look at its power supply and slot.',
    ],
    'reset-required': ['a card needs a reset', 'End what uses it, then: nvidia-smi --gpu-reset -i <index>'],
  };

/**
 * @param code its exit code; null: it was ended by a signal
 * @param words the last lines that it said, on either stream
 */
export function troubleOf(code: number | null, words: string): SmiTrouble {
  const said = words.replaceAll(/\s+/g, ' ').trim().slice(0, 300);
  const kind = BY_WORDS.find(([pattern]) => pattern.test(said))?.[1] ?? (code === null ? undefined : BY_CODE.get(code));
  if (kind === undefined || kind === 'missing' || kind === 'stuck' || kind === 'failed') {
    const ending = code === null ? 'was killed' : `ended with ${code}`;
    return {
      kind: 'failed',
      words: said === '' ? `nvidia-smi ${ending}` : `nvidia-smi ${ending}: ${said}`,
      hint: null,
    };
  }
  const [sentence, hint] = FORMS[kind];
  return { kind, words: sentence, hint };
}

export function missingTrouble(program: string, errno: string): SmiTrouble {
  if (errno === 'ENOENT') {
    return { kind: 'missing', words: `there is no ${program} on this machine: no card is watched`, hint: null };
  }
  return { kind: 'missing', words: `${program} cannot be run (${errno}): no card is watched`, hint: null };
}

export function stuckTrouble(forMs: number): SmiTrouble {
  return {
    kind: 'stuck',
    words: `nvidia-smi is stuck: no answer for ${Math.round(forMs / 1000)} s`,
    hint: 'A driver that hangs often needs a reboot; training is not touched.',
  };
}
