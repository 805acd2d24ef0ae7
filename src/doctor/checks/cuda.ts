/** The newest CUDA that the driver can serve. Source of the bound: what libtensorflow for GPUs was built with from 2.12 on. */
import { type Finding, note, ok, problem } from '../finding.ts';

const LEAST = [11, 8] as const;

/** @param version null: the inventory could not be had */
export function checkCuda(version: string | null, hasCards: boolean): Finding[] {
  if (!hasCards) return [];
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version ?? '') ?? [];
  if (major === undefined || minor === undefined)
    return [note('cuda', 'The driver does not tell which CUDA it serves.')];
  const isEnough = Number(major) > LEAST[0] || (Number(major) === LEAST[0] && Number(minor) >= LEAST[1]);
  if (isEnough) return [ok('cuda', `up to ${version}`)];
  return [
    problem(
      'cuda',
      `The driver serves CUDA up to ${version} only, ${LEAST.join('.')} is needed.`,
      'Install a newer driver; it brings CUDA with it. No CUDA toolkit is needed.',
    ),
  ];
}
