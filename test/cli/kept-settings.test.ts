import { expect, test } from 'vitest';
import { keptLayer, keptWords } from '../../src/cli/kept-settings.ts';
import { environmentLayer, flagLayer, resolveSettings, type SettingLayer } from '../../src/config/layers.ts';
import { stateHome } from '../../src/home.ts';

const HOME = stateHome({ NKAT_HOME: '/home/state' });

/** A resume with this written in a file, this kept by the session, and these flags. */
function resumed(file: string | null, kept: string | undefined, flags: Readonly<Record<string, unknown>> = {}) {
  const place = { key: 'gpuProfile', where: 'profile', base: '/', place: null } as const;
  const written = file === null ? [] : [{ ...place, text: file }];
  const environment: Record<string, string> = { NKAT_KEEP: '9', ...(kept && { NKAT_GPU_PROFILE: kept }) };
  const layers: SettingLayer[] = [
    { name: 'file', profile: null, written },
    keptLayer({ environment, noConfig: false }),
    environmentLayer({}, '/'),
    flagLayer(flags, '/'),
  ];
  const { gpuProfile, keep } = resolveSettings(layers, HOME);
  return { gpuProfile, keep, words: keptWords(layers).map(({ text }) => text) };
}

test('a session keeps the profile of its card, over the file and under the flags, and nothing else', () => {
  const told = ['--gpu-profile rtx3080 as before; --gpu-profile off leaves it out.'];
  expect(resumed(null, 'rtx3080')).toEqual({ gpuProfile: 'rtx3080', keep: 5, words: told });
  expect(resumed('off', 'rtx3080')).toMatchObject({ gpuProfile: 'rtx3080', words: told });
  expect(resumed(null, 'rtx3080', { gpuProfile: 'off' })).toMatchObject({ gpuProfile: null, words: [] });
  expect(resumed('rtx3080', 'off')).toMatchObject({ gpuProfile: null, words: [] });
  expect(resumed('rtx3080', undefined)).toMatchObject({ gpuProfile: 'rtx3080', words: [] });
});

test('a session of an earlier release has kept nothing; a profile that is unknown here is refused with what to do', () => {
  expect(keptLayer(undefined).written).toEqual([]);
  expect(() => resumed(null, 'rtx9999')).toThrow(
    expect.objectContaining({
      code: 'configuration',
      message: expect.stringContaining('--gpu-profile of the session is "rtx9999"'),
      hint: 'Give --gpu-profile anew.',
    }),
  );
});
