/** The GPUs of this machine, and what a trainer has to find in its environment to see some of them only. */
import { cpus } from 'node:os';
import { NkatError } from '../../errors.ts';
import { askSmi } from '../../gpu/smi-ask.ts';
import { smiCommand } from '../../gpu/smi-command.ts';
import type { OwnDevices } from '../backends.ts';
import type { Injection } from './injections.ts';

const QUERY = ['--query-gpu=index', '--format=csv,noheader'];
const LIMITS = { timeoutMs: 10_000, maxBytes: 64 * 1_024 };

/** Hides every card from CUDA, and from ROCm. */
export const NO_GPU: Readonly<Record<string, string>> = { CUDA_VISIBLE_DEVICES: '', HIP_VISIBLE_DEVICES: '' };

/** These alone, by the numbers that nvidia-smi shows. */
export function onlyGpus(indices: readonly number[]): Readonly<Record<string, string>> {
  return { CUDA_VISIBLE_DEVICES: indices.join(','), CUDA_DEVICE_ORDER: 'PCI_BUS_ID' };
}

/** Numbers of the cards that answer; none where there is no nvidia-smi, or where it fails or hangs. */
export async function gpuIndices(environment: NodeJS.ProcessEnv): Promise<readonly number[]> {
  const answer = await askSmi(smiCommand(environment), QUERY, LIMITS);
  if (answer.kind === 'trouble') return [];
  return answer.text.split('\n').flatMap((line) => (/^\s*\d+\s*$/.test(line) ? [Number(line)] : []));
}

/** What a rehearsal runs on here. */
export async function ownDevices(environment: NodeJS.ProcessEnv): Promise<OwnDevices> {
  const answer = await askSmi(smiCommand(environment), ['--query-gpu=name', '--format=csv,noheader'], LIMITS);
  const names = answer.kind === 'trouble' ? [] : answer.text.split('\n').map((line) => line.trim());
  const gpu = [...new Set(names.filter((name) => name !== ''))].join(', ');
  const cpu = cpus()[0]?.model.trim() ?? '';
  return { gpu: gpu === '' ? null : gpu, cpu: cpu === '' ? null : cpu };
}

/** Before anything is copied. @throws NkatError `preflight` where an injection needs cards that are not there */
export function refuseMissingGpus(injections: readonly Injection[], present: readonly number[]): void {
  for (const injection of injections) {
    if (injection.kind === 'gpu-lost' && present.length === 0) {
      throw refusal('gpu-lost needs a GPU that can be lost, and nvidia-smi shows none on this machine');
    }
    if (injection.kind !== 'gpus') continue;
    const missing = injection.indices.filter((index) => !present.includes(index));
    if (missing.length === 0) continue;
    const there = present.length === 0 ? 'none' : present.join(', ');
    throw refusal(`gpus=${injection.indices.join(',')} needs GPU ${missing.join(', ')}; nvidia-smi shows ${there}`);
  }
}

function refusal(message: string): NkatError {
  return new NkatError(message, {
    code: 'preflight',
    operation: 'begin the drill',
    hint: 'Leave it out of --inject, or drill on the machine that has the GPU.',
  });
}
