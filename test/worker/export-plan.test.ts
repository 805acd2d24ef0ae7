import { expect, test } from 'vitest';
import { exportPlans } from '../../src/worker/export-plan.ts';

const TENSOR = { dtype: 'F32', shape: [1] };

function planned(averages: Readonly<Record<string, { kind: string; updates: number }>>, names: readonly string[]) {
  const state = {
    steps: 1,
    topology: { model: '{}' },
    layers: { model: [{ tensor: 'model/0_Dense/kernel', name: 'dense/kernel' }] },
    optimizers: {},
    schedule: null,
    average: null,
    averages,
  };
  const [plan] = exportPlans(
    state,
    names.map((name) => ({ ...TENSOR, name })),
  );
  return { weights: plan?.weights, tensors: [...(plan?.tensors.keys() ?? [])] };
}

test('of several averages the first that has begun is exported', () => {
  const names = ['model/0_Dense/kernel', 'average/ema/model/0_Dense/kernel', 'average/swa/model/0_Dense/kernel'];
  const facts = (ema: number, swa: number) => ({
    'average/ema': { kind: 'ema', updates: ema },
    'average/swa': { kind: 'swa', updates: swa },
  });
  expect(planned(facts(3, 1), names)).toEqual({ weights: 'average', tensors: ['average/ema/model/0_Dense/kernel'] });
  expect(planned(facts(0, 1), names)).toEqual({ weights: 'average', tensors: ['average/swa/model/0_Dense/kernel'] });
  expect(planned(facts(0, 0), names)).toEqual({ weights: 'trained', tensors: ['model/0_Dense/kernel'] });
});
