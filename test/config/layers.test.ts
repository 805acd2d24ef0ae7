import { expect, test } from 'vitest';
import { environmentName, SETTING_KEYS, SETTINGS } from '../../src/config/definitions.ts';
import { effectiveSettings } from '../../src/config/effective.ts';
import { environmentLayer, flagLayer, isWritten, resolveSettings } from '../../src/config/layers.ts';
import { DEFAULT_SETTINGS } from '../../src/config/settings.ts';
import { NkatError } from '../../src/errors.ts';
import { stateHome } from '../../src/home.ts';

const home = stateHome({ NKAT_HOME: '/state' });

function resolveFrom(environment: Record<string, string>, flags: Record<string, unknown> = {}) {
  return resolveSettings([environmentLayer(environment, '/here'), flagLayer(flags, '/here')], home);
}

function refusal(environment: Record<string, string>, flags: Record<string, unknown> = {}): NkatError {
  try {
    resolveFrom(environment, flags);
  } catch (error) {
    if (error instanceof NkatError) return error;
    throw error;
  }
  throw new Error('expected a refusal');
}

test('with nothing written the defaults hold and paths come from the state home', () => {
  expect(resolveFrom({})).toEqual({ ...DEFAULT_SETTINGS, root: '/state/checkpoints', backups: '/state/backups' });
});

test('every setting has one definition, a flag and an environment variable', () => {
  expect(SETTINGS.map((definition) => definition.key)).toEqual([...SETTING_KEYS]);
  expect(new Set(SETTINGS.map(environmentName)).size).toBe(SETTINGS.length);
  expect(SETTINGS.map(environmentName)).toContain('NKAT_SAVE_EVERY_STEPS');
});

test('flags win over the environment, the environment over the defaults', () => {
  const settings = resolveFrom({ NKAT_KEEP: '7', NKAT_SAVE_EVERY: '30s' }, { keep: '9' });
  expect(settings.keep).toBe(9);
  expect(settings.save.every).toBe(30_000);
});

test('an empty variable is unset', () => {
  expect(resolveFrom({ NKAT_KEEP: '' }).keep).toBe(5);
});

test('every word reaches its setting', () => {
  const settings = resolveFrom(
    {},
    {
      dir: 'runs',
      backups: '/other/best',
      saveEvery: 'auto',
      saveEverySteps: '500',
      saveEveryEpochs: '1',
      saveOverhead: '2%',
      keepBytes: '20GB',
      best: 'val:accuracy:max',
      maxRestarts: '0',
      noRestartCodes: '2, 3',
      grace: '90s',
      hangAfter: '2m',
      requireGpu: true,
      allowFresh: true,
    },
  );
  expect(settings).toMatchObject({
    root: '/here/runs',
    backups: '/other/best',
    save: { every: 'auto', everySteps: 500, everyEpochs: 1, overhead: 0.02 },
    maxBytes: 20e9,
    best: { metric: 'val:accuracy', mode: 'max' },
    maxRestarts: 0,
    noRestartCodes: [2, 3],
    stop: { graceMs: 90_000, terminateMs: DEFAULT_SETTINGS.stop.terminateMs },
    hang: { trainMs: 120_000 },
    requireGpu: true,
    allowFresh: true,
  });
});

test('saves by step replace auto, unless saves by time are asked for too', () => {
  expect(resolveFrom({}, { saveEverySteps: '5' }).save).toMatchObject({ every: null, everySteps: 5 });
  expect(resolveFrom({}, { saveEverySteps: '5', saveEvery: '1m' }).save).toMatchObject({
    every: 60_000,
    everySteps: 5,
  });
  expect(resolveFrom({}, { saveEvery: 'off' }).save.every).toBeNull();
});

test('off on the command line undoes the environment', () => {
  const settings = resolveFrom(
    { NKAT_MAX_RESTARTS: '3', NKAT_KEEP_BYTES: '1GB' },
    { maxRestarts: 'off', keepBytes: 'off' },
  );
  expect(settings.maxRestarts).toBeNull();
  expect(settings.maxBytes).toBeNull();
});

test.each([
  [{ saveEvery: '5 parsecs' }, '--save-every', '5 parsecs', '300s'],
  [{ saveEvery: '0s' }, '--save-every', '0s', 'auto'],
  [{ keep: '0' }, '--keep', '0', 'from 1'],
  [{ keep: '1.5' }, '--keep', '1.5', 'whole number'],
  [{ saveOverhead: '0.5' }, '--save-overhead', '0.5', '0.5%'],
  [{ best: 'accuracy' }, '--best', 'accuracy', 'metric:max'],
  [{ noRestartCodes: '2,300' }, '--no-restart-codes', '2,300', '255'],
  [{ keepBytes: 'much' }, '--keep-bytes', 'much', '20GB'],
])('a wrong flag %j is refused with its name, its value and what is accepted', (flags, where, value, accepted) => {
  const error = refusal({}, flags);
  expect(error.code).toBe('usage');
  for (const fact of [where, value, accepted]) expect(error.message).toContain(fact);
});

test('a wrong variable is refused by its own name', () => {
  const error = refusal({ NKAT_REQUIRE_GPU: 'perhaps' });
  expect(error.code).toBe('configuration');
  for (const fact of ['NKAT_REQUIRE_GPU', 'perhaps', 'yes']) expect(error.message).toContain(fact);
});

test('what was written can be told from a default', () => {
  const layers = [environmentLayer({ NKAT_DIR: '/a' }, '/here'), flagLayer({}, '/here')];
  expect(isWritten(layers, 'dir')).toBe(true);
  expect(isWritten(layers, 'backups')).toBe(false);
});

test('each value that is shown may be written as it is shown', () => {
  const shown = effectiveSettings([], home);
  const written = Object.fromEntries(shown.map(({ key, text }) => [key, text]));
  expect(resolveFrom({}, written)).toEqual(resolveFrom({}));
});

test('off takes a lower layer back', () => {
  const environment = { NKAT_BEST_MIN_DELTA: '0.5', NKAT_BEST: 'loss:min', NKAT_KEEP_BYTES: '1GB' };
  const flags = { bestMinDelta: 'off', best: 'off', keepBytes: 'off' };
  expect(resolveFrom(environment, flags)).toMatchObject({ bestMinDelta: null, best: null, maxBytes: null });
});

test('a wrong value is answered with what to do about it, for a variable and for a flag', () => {
  expect(refusal({ NKAT_KEEP: 'many' })).toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('NKAT_KEEP is "many"; accepted is a whole number'),
    hint: 'Correct or unset NKAT_KEEP.',
  });
  expect(refusal({}, { keep: 'many' })).toMatchObject({ code: 'usage', hint: undefined });
});
