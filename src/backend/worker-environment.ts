/** What the process that trains gets to know of the native backend before its first line runs. */
import { delimiter, join } from 'node:path';
import { chosenBackend, type InstalledBackend } from '../installed-backend.ts';

/** The setting `deterministic` as a variable. */
export const DETERMINISTIC_VARIABLE = 'NKAT_DETERMINISTIC';

/** The same for the backend that a worker with this environment will take. */
export function environmentOfWorker(environment: NodeJS.ProcessEnv, deterministic: boolean): Record<string, string> {
  return workerEnvironment(chosenBackend(environment), environment, deterministic);
}

/**
 * TensorFlow and CUDA look for these in the environment of the process at its start: a trainer that sets them is too late.
 *
 * @param installed null: none, then only the determinism counts
 * @param environment of the supervisor; what an operator has set there stays
 * @param deterministic same bits from run to run, at some cost: TensorFlow's deterministic kernels and cuDNN's, and
 * without oneDNN, whose order of additions depends on the processor
 */
export function workerEnvironment(
  installed: InstalledBackend | null,
  environment: NodeJS.ProcessEnv,
  deterministic: boolean,
): Record<string, string> {
  const set: Record<string, string> = {};
  if (installed !== null) {
    if (!environment.TF_FORCE_GPU_ALLOW_GROWTH) set.TF_FORCE_GPU_ALLOW_GROWTH = 'true';
    const folders = installed.record.libraryFolders.map((folder) => join(installed.folder, folder));
    const before = environment.LD_LIBRARY_PATH;
    if (folders.length > 0) set.LD_LIBRARY_PATH = [...folders, ...(before ? [before] : [])].join(delimiter);
  }
  if (deterministic) {
    set.TF_DETERMINISTIC_OPS = '1';
    set.TF_CUDNN_DETERMINISTIC = '1';
    set.TF_ENABLE_ONEDNN_OPTS = '0';
  }
  return set;
}
