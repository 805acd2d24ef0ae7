/** The driver's age. Source of the bound: the CUDA 11.8 release notes, table of the smallest driver (520.61 on Linux). */
import { type Finding, note, ok, problem } from '../finding.ts';

const LEAST_MAJOR = 520;

/** @param version null: there is no card, or the driver does not tell */
export function checkDriver(version: string | null, hasCards: boolean): Finding[] {
  if (!hasCards) return [];
  const major = Number.parseInt(version ?? '', 10);
  if (version === null || Number.isNaN(major)) return [note('driver', 'The driver does not tell its version.')];
  if (major >= LEAST_MAJOR) return [ok('driver', version)];
  return [
    problem(
      'driver',
      `${version} is older than ${LEAST_MAJOR}: TensorFlow of today finds no GPU with it and trains on the CPU.`,
      'sudo apt install nvidia-driver (or what your distribution has in its place, or nvidia.com/drivers), then reboot',
    ),
  ];
}
