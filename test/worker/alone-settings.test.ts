/** A variable means the same to a trainer that runs by itself as to a supervisor, though the two read it by themselves. */
import { expect, test } from 'vitest';
import { environmentLayer, resolveSettings } from '../../src/config/layers.ts';
import { stateHome } from '../../src/home.ts';
import { aloneMode } from '../../src/worker/alone-settings.ts';

const VARIABLES = [
  'NKAT_SAVE_EVERY',
  'NKAT_SAVE_EVERY_STEPS',
  'NKAT_SAVE_EVERY_EPOCHS',
  'NKAT_SAVE_OVERHEAD',
  'NKAT_ASYNC_SAVE',
  'NKAT_KEEP',
  'NKAT_KEEP_BYTES',
  'NKAT_ON_FULL_DISK',
  'NKAT_BEST',
  'NKAT_BEST_MIN_DELTA',
  'NKAT_ALLOW_FRESH',
] as const;
const TEXTS = [
  ...['off', 'OFF', 'none', 'auto', 'on', 'no', 'true', 'maybe', '-', ' 7 '],
  ...['0', '1', '-1', '1.5', '1e3', '1e-3', '0x10', 'Infinity', 'NaN', '9007199254740993'],
  ...['0s', '30s', '5 min', '2 hours', '0%', '2%', '101%', '0B', '20GB', '512 mib'],
  ...['continue', 'Pause', 'accuracy:max', 'Val:F1:min', 'accuracy:MAX', ':max', 'accuracy'],
];
const identity = { cwd: '/here', trainer: '/here/train.mjs', args: [], name: null };

function bySupervisor(environment: Record<string, string>): unknown {
  const home = stateHome(environment);
  try {
    const settings = resolveSettings([environmentLayer(environment, '/here')], home);
    const { save, asyncSave, keep, maxBytes, onFullDisk, best, bestMinDelta, allowFresh } = settings;
    return { policy: { ...save, asyncSave, keep, maxBytes, onFullDisk, best, bestMinDelta }, allowFresh };
  } catch {
    return 'refused';
  }
}

function alone(environment: Record<string, string>): unknown {
  try {
    const { policy, allowFresh } = aloneMode(environment, {}, identity);
    return { policy, allowFresh };
  } catch {
    return 'refused';
  }
}

test.each(VARIABLES)('%s', (name) => {
  for (const text of TEXTS) {
    const environment = { NKAT_HOME: '/state', [name]: text };
    expect(alone(environment), text).toEqual(bySupervisor(environment));
  }
});
