/** How a session was started, as far as a start with nobody there has to do the same. */

import { resolve } from 'node:path';
import { DETERMINISTIC_VARIABLE } from '../backend/worker-environment.ts';
import type { SessionLaunch } from '../checkpoint/types.ts';
import { definitionOf, environmentName, PATH_KEYS } from '../config/definitions.ts';
import { formatUps } from '../ups-address.ts';
import type { OwnSettings } from './own-settings.ts';

/** What trainers need to find their programs, libraries and devices. */
const KEPT_NAMES: ReadonlySet<string> = new Set([
  'PATH',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'PYTHONPATH',
  'PYTHONHOME',
  'PYTHONHASHSEED',
  'VIRTUAL_ENV',
  'NODE_PATH',
  'NODE_OPTIONS',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'HF_HOME',
]);
const KEPT_PREFIXES =
  /^(CUDA_|CUDNN_|CUBLAS_|NVIDIA_|NCCL_|TF_|XLA_|TORCH_|PYTORCH_|OMP_|MKL_|OPENBLAS_|CONDA_|ROCM_|ROCR_|HIP_|HSA_|LC_)/;
/** Whatever the name begins with: it is written to a disk. */
const SECRET = /TOKEN|SECRET|KEY|PASS|CREDENTIAL|AUTH/i;

/**
 * Settings that were given by flag or variable, as variables: the configuration file is read anew, and whatever it says
 * then, they go over it as they did.
 */
export function sessionLaunch(
  { settings, layers, file, fileNamed, profile }: OwnSettings,
  environment: NodeJS.ProcessEnv,
  noConfig: boolean,
): SessionLaunch {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && isKept(name)) kept[name] = value;
  }
  for (const { name, written } of layers) {
    if (name === 'file') continue;
    for (const { key, text, base } of written) {
      kept[environmentName(definitionOf(key))] = PATH_KEYS.includes(key) ? resolve(base, text) : text;
    }
  }
  if (file !== null && fileNamed) kept.NKAT_CONFIG = file;
  if (profile !== null) kept.NKAT_PROFILE = profile;
  // Also from a file: whoever brings the session back asks the UPS first.
  if (settings.ups !== null) kept.NKAT_UPS = formatUps(settings.ups);
  // Likewise: a drill repeats the steps under the same switches.
  if (settings.deterministic) kept[DETERMINISTIC_VARIABLE] = 'yes';
  return { environment: kept, noConfig };
}

export function isKept(name: string): boolean {
  return (KEPT_NAMES.has(name) || KEPT_PREFIXES.test(name)) && !SECRET.test(name);
}
