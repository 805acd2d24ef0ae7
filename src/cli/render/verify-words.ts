import type { CheckpointEntry, Damage, Verdict, VerificationLevel } from '../../checkpoint/types.ts';
import { type Line, line } from './line.ts';
import { count } from './quantities.ts';

interface Place {
  readonly path: string;
  readonly sequence: number;
}

/** One checkpoint with which something is wrong, or the folder of all of them. */
export type Finding =
  | (Place & { readonly kind: 'damaged'; readonly damages: readonly Damage[] })
  /** Not readable now, or not by this version: says nothing about the data. */
  | (Place & { readonly kind: 'unreadable'; readonly reason: string })
  /** The folder with the checkpoints is not there. */
  | { readonly kind: 'missing'; readonly path: string };

export interface VerifiedSession {
  readonly session: string;
  readonly level: VerificationLevel;
  readonly checked: number;
  readonly findings: readonly Finding[];
}

export function findingOf(
  { path, sequence }: CheckpointEntry,
  verdict: Exclude<Verdict, { status: 'gone' }>,
): Finding | null {
  switch (verdict.status) {
    case 'verified':
      return null;
    case 'damaged':
      return { kind: 'damaged', path, sequence, damages: verdict.damages };
    case 'unreadable':
      return { kind: 'unreadable', path, sequence, reason: `${verdict.errno}: ${verdict.reason}` };
    case 'newer-format':
      return { kind: 'unreadable', path, sequence, reason: verdict.reason };
  }
}

const LEVELS: Readonly<Record<VerificationLevel, string>> = {
  0: 'manifest and sizes',
  1: 'every byte',
  2: 'every byte and value',
};

export function verifyWords({ session, level, checked, findings }: VerifiedSession): Line[] {
  const damaged = findings.filter(({ kind }) => kind === 'damaged');
  const lines = findings.flatMap((finding) => findingWords(finding, session));
  const subject = `Session ${session}: ${count(checked, 'checkpoint')} checked (${LEVELS[level]})`;
  if (findings.length === 0) return [line(`${subject}, all whole`, 'good')];
  if (findings.some(({ kind }) => kind === 'missing')) return lines;
  if (damaged.length === 0) return [...lines, line(`${subject}, ${findings.length} could not be read`, 'warning')];
  return [
    ...lines,
    line(`${subject}, ${damaged.length} damaged`, 'bad'),
    line(`To move the damaged ones aside and go on from the newest whole one: nkat-recover resume ${session}`),
  ];
}

function findingWords(finding: Finding, session: string): Line[] {
  if (finding.kind === 'missing') {
    return [
      line(`Session ${session}: nothing could be checked, its folder is missing: is its disk mounted?`, 'bad'),
      pathLine(finding),
    ];
  }
  if (finding.kind === 'unreadable') {
    return [
      line(
        `Checkpoint ${finding.sequence} cannot be read, which says nothing about its data: ${finding.reason}`,
        'warning',
      ),
      pathLine(finding),
    ];
  }
  const damages = finding.damages.map((damage) => line(`  ${damageText(damage)}`, 'bad'));
  return [line(`Checkpoint ${finding.sequence} is damaged:`, 'bad'), ...damages, pathLine(finding)];
}

function pathLine({ path }: Finding): Line {
  return line(`  ${path}`, 'faint');
}

/** Names beyond these only count: a flipped byte in a header touches every tensor. */
const NAMED_TENSORS = 5;

function damageText({ file, chunk, reason, tensors }: Damage): string {
  const what = file ?? 'the folder';
  // Most reasons about a chunk begin with its number.
  const said = chunk === null ? `${what}: ${reason}` : `${what}, ${chunkWords(chunk, reason)}`;
  if (tensors.length === 0) return said;
  const more = tensors.length > NAMED_TENSORS ? ` and ${tensors.length - NAMED_TENSORS} more` : '';
  const noun = tensors.length === 1 ? 'tensor' : 'tensors';
  return `${said} (${noun} ${tensors.slice(0, NAMED_TENSORS).join(', ')}${more})`;
}

function chunkWords(chunk: number, reason: string): string {
  const name = `chunk ${chunk}`;
  return reason.startsWith(`${name} `) ? reason : `${name}: ${reason}`;
}

interface UnreadableJson {
  readonly path: string;
  /** Null: it is the folder of all of them. */
  readonly sequence: number | null;
  readonly reason: string;
}

/** The contract of `verify --json`; `unreadable` is beside what the contract names. */
export function verifyJson({ session, level, checked, findings }: VerifiedSession) {
  const damaged = findings.flatMap((finding) =>
    finding.kind !== 'damaged'
      ? []
      : finding.damages.map(({ file, reason, tensors, chunk }) => ({
          path: finding.path,
          sequence: finding.sequence,
          file,
          chunk,
          reason,
          tensors,
        })),
  );
  const unreadable = findings.flatMap((finding): UnreadableJson[] => {
    if (finding.kind === 'missing') return [{ path: finding.path, sequence: null, reason: 'its folder is missing' }];
    return finding.kind === 'unreadable'
      ? [{ path: finding.path, sequence: finding.sequence, reason: finding.reason }]
      : [];
  });
  return { version: 1, session, level, checked, damaged, unreadable };
}
