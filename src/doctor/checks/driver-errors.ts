/** Errors (Xid) that the driver wrote into the kernel's log since the machine was started: one finding a card. Pure. */
import type { GpuLook } from '../../gpu/look.ts';
import { meansNoCards } from '../../gpu/smi-trouble.ts';
import { type SeenXid, sameBus, type XidMessage } from '../../gpu/xid.ts';
import { aboutAge } from '../../units.ts';
import { type Finding, note, ok, type Severity } from '../finding.ts';

/** Oldest first, or why the log may not be read here. */
export type DriverErrors = { readonly seen: readonly SeenXid[] } | { readonly refusal: string };

const CHECK = 'xid';

type Remedy = XidMessage['remedy'];

interface Consequence {
  readonly severity: Severity;
  readonly words: string;
  /** @param place of the card, as `-i` takes it */
  readonly mend: (place: string) => string | null;
}

/** Worst first. */
const WORST: readonly Remedy[] = ['reboot', 'reset-card', 'restart-program', 'unknown', 'none'];

const CONSEQUENCES: Readonly<Record<Remedy, Consequence>> = {
  reboot: {
    severity: 'problem',
    words: 'the machine needs a reboot',
    mend: () => 'Reboot the machine. If it comes back, look at its power supply, its cables and its slot.',
  },
  'reset-card': {
    severity: 'warning',
    words: 'the card needs a reset, unless it had one since',
    mend: (place) =>
      `End what uses it, then: sudo nvidia-smi --gpu-reset -i ${place}. If that fails, reboot the machine.`,
  },
  'restart-program': {
    severity: 'note',
    words: 'the program that ran on it had to be started again; the card is well',
    mend: () => 'If they come again and again: look at the program, at overclocking and at the power supply.',
  },
  unknown: {
    severity: 'note',
    words: 'a number that we do not know',
    mend: () => 'https://docs.nvidia.com/deploy/xid-errors explains each number.',
  },
  none: { severity: 'note', words: 'nothing has to be done', mend: () => null },
};

/** Nothing is said of a machine that has no cards and no errors of any. */
export function checkDriverErrors(errors: DriverErrors, { cards, troubles }: GpuLook): Finding[] {
  const hasDriver = cards.length > 0 || troubles.some(({ kind }) => !meansNoCards(kind));
  if ('refusal' in errors) {
    if (!hasDriver) return [];
    const words = `Errors of the driver cannot be seen: ${errors.refusal}. A lost card is then told by nvidia-smi alone.`;
    return [note(CHECK, words, 'sudo usermod -aG adm $USER, then log in again (or: sudo nkat-recover doctor)')];
  }
  const buses = [...new Set(errors.seen.map(({ busId }) => busId))];
  if (buses.length === 0) return hasDriver ? [ok(CHECK, 'no error of the driver since the machine was started')] : [];
  return buses.map((bus) => {
    const index = cards.find(({ sample }) => sameBus(sample.values.busId ?? '', bus))?.sample.values.index;
    const seen = errors.seen.filter(({ busId }) => busId === bus);
    return findingOf(index == null ? `The card at ${bus}` : `GPU ${index}`, String(index ?? '<index>'), seen);
  });
}

/** The worst error decides what is to be done; the newest may be another. */
function findingOf(card: string, place: string, seen: readonly SeenXid[]): Finding {
  const remedy = WORST.find((each) => seen.some((xid) => xid.remedy === each)) ?? 'unknown';
  const { severity, words, mend } = CONSEQUENCES[remedy];
  const worst = seen.findLast((xid) => xid.remedy === remedy);
  const newest = seen.at(-1);
  const named = [...new Set([worst, newest])].flatMap((xid) =>
    xid === undefined ? [] : [nameOf(xid, xid === newest)],
  );
  const count = seen.length === 1 ? '1 error' : `${seen.length} errors`;
  return {
    check: CHECK,
    severity,
    words: `${card}: ${count} since the machine was started: ${named.join('; ')}: ${words}.`,
    mend: mend(place),
  };
}

function nameOf({ number, words, ageMs }: SeenXid, isNewest: boolean): string {
  const age = ageMs === null ? '' : `, ${aboutAge(ageMs)} ago`;
  return `Xid ${number} (${words})${isNewest ? `, the newest${age}` : ''}`;
}
