/** Training on the CPU although there is a card. */
import { deviceOf } from '../backend-device.ts';
import { clear, KEEP, raise, type Verdict } from '../warnings/condition.ts';
import { isLongEnough, type Stretch } from './moment.ts';

export function judgeCpuTraining(stretch: Stretch, backend: string | null): Verdict {
  const card = stretch.at(-1)?.cards[0]?.values;
  // One that does not even tell its name is lost: nobody could train on it.
  if (card === undefined || card.name === null || !isLongEnough(stretch)) return KEEP;
  if (deviceOf(backend) !== 'cpu') return clear('Training uses the GPU');
  const name = `GPU ${card.index ?? '?'} (${card.name})`;
  const load = card.utilizationPercent === null ? '' : `, which is used ${card.utilizationPercent} %`;
  return raise(
    `Training runs on the CPU (${backend}) though there is ${name}${load}`,
    'nkat-recover doctor says what is missing; nkat-recover backend install --cuda12 installs it; --require-gpu refuses to train without.',
  );
}
