/** Training on the CPU although there is a card. */
import { clear, KEEP, raise, type Verdict } from '../warnings/condition.ts';
import { isLongEnough, type Stretch } from './moment.ts';

/** Backends that the SDK names and that compute on the CPU. Of others nothing is known. */
const CPU_BACKENDS: ReadonlySet<string> = new Set(['tfjs-cpu', 'tfjs-wasm', 'tfjs-node']);

export function isOnCpu(backend: string | null): boolean {
  return backend !== null && CPU_BACKENDS.has(backend);
}

export function judgeCpuTraining(stretch: Stretch, backend: string | null): Verdict {
  const card = stretch.at(-1)?.cards[0]?.values;
  if (card === undefined || !isLongEnough(stretch)) return KEEP;
  if (!isOnCpu(backend)) return clear('Training uses the GPU');
  const name = `GPU ${card.index ?? '?'} (${card.name ?? 'without a name'})`;
  const load = card.utilizationPercent === null ? '' : `, which is used ${card.utilizationPercent} %`;
  return raise(
    `Training runs on the CPU (${backend}) though there is ${name}${load}`,
    'nkat-recover doctor says what is missing; nkat-recover backend install --cuda12 installs it; --require-gpu refuses to train without.',
  );
}
