/**
 * Xid messages: what the driver tells the kernel's log of an error of a card. Source of the numbers and of what helps: NVIDIA, "Xid
 * Errors" (docs.nvidia.com/deploy/xid-errors), catalogue and immediate actions.
 */

/** What makes the card work again. */
export type XidRemedy = 'restart-program' | 'reset-card' | 'reboot' | 'none';

interface XidMeaning {
  readonly remedy: XidRemedy;
  readonly words: string;
}

const MEANINGS: ReadonlyMap<number, XidMeaning> = new Map(
  (
    [
      [8, 'restart-program', 'the card stopped processing'],
      [13, 'restart-program', 'an exception in the program on the card'],
      [31, 'restart-program', 'a memory access that the card refused'],
      [43, 'none', 'the card stopped a program that had failed'],
      [45, 'none', 'the program was cleaned up after an earlier error'],
      [46, 'reset-card', 'the card stopped processing'],
      [62, 'reset-card', "the card's micro-controller halted"],
      [63, 'none', 'bad memory was taken out of use'],
      [64, 'reset-card', 'bad memory could not be taken out of use'],
      [68, 'restart-program', 'an exception of the video processor'],
      [69, 'restart-program', 'an exception of the graphics engine'],
      [79, 'reboot', 'the card has fallen off the bus'],
      [92, 'none', 'many corrected memory errors'],
      [94, 'restart-program', 'a memory error that hit one program only'],
      [95, 'reset-card', 'a memory error that may have hit any program'],
      [109, 'reset-card', 'switching between programs timed out'],
      [119, 'reset-card', "the card's system processor does not answer"],
      [120, 'reset-card', "an error of the card's system processor"],
      [136, 'reset-card', 'links between cards could not be trained'],
      [140, 'reset-card', 'memory errors that could not be corrected'],
      [143, 'reset-card', 'the card could not be initialised'],
      [156, 'reset-card', 'a resource of the card was retired'],
      [158, 'reset-card', 'the card ran into a fatal time-out'],
    ] as const
  ).map(([number, remedy, words]) => [number, { remedy, words }]),
);

export interface XidMessage {
  readonly number: number;
  /** PCI address as the driver prints it: `0000:01:00`. */
  readonly busId: string;
  /** Of the program that used the card; null: the driver does not know. */
  readonly pid: number | null;
  /** `unknown`: no number of the table. Nothing is concluded from it. */
  readonly remedy: XidRemedy | 'unknown';
  readonly words: string;
  readonly message: string;
}

/** One of this boot, with its age. */
export interface SeenXid extends XidMessage {
  /** Null: the log was printed without times. */
  readonly ageMs: number | null;
}

const XID = /NVRM: Xid \((?:PCI:)?([0-9a-fA-F:.]+)\): (\d+),?\s*(.*)$/;

/** Null: the line tells of no Xid. */
export function readXid(message: string): XidMessage | null {
  const match = XID.exec(message);
  if (match === null) return null;
  const [, busId = '', number, rest = ''] = match;
  const pid = /\bpid='?(\d+)/.exec(rest)?.[1];
  const meaning = MEANINGS.get(Number(number));
  return {
    number: Number(number),
    busId,
    pid: pid === undefined ? null : Number(pid),
    remedy: meaning?.remedy ?? 'unknown',
    words: meaning?.words ?? 'an error that is not in our table',
    message: message.slice(match.index).trim(),
  };
}

/** nvidia-smi prints `00000000:01:00.0`, the kernel's log `0000:01:00`. */
export function sameBus(a: string, b: string): boolean {
  return shortBus(a) === shortBus(b);
}

function shortBus(busId: string): string {
  const match = /^(?:([0-9a-f]+):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})(?:\.\d)?$/i.exec(busId.trim());
  if (match === null) return busId;
  return [match[1] ?? '0', match[2] ?? '0', match[3] ?? '0'].map((part) => Number.parseInt(part, 16)).join(':');
}
