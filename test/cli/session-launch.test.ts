import { expect, test } from 'vitest';
import { sessionLaunch } from '../../src/cli/session-launch.ts';
import { environmentLayer, flagLayer } from '../../src/config/layers.ts';
import { DEFAULT_SETTINGS } from '../../src/config/settings.ts';

const OWN = {
  settings: { ...DEFAULT_SETTINGS, root: '/root', backups: '/backups' },
  file: null,
  fileNamed: false,
  files: [],
  passedOver: [],
  outside: [],
  profile: null,
  slips: [],
} as const;

test('flags go over variables, and folders are kept whole', () => {
  const layers = [
    environmentLayer({ NKAT_KEEP: '3', NKAT_BEST: 'loss:min' }, '/work'),
    flagLayer({ keep: '9', dir: 'here', requireGpu: true }, '/work'),
  ];
  const { environment } = sessionLaunch({ ...OWN, layers }, {}, false);
  expect(environment).toEqual({
    NKAT_KEEP: '9',
    NKAT_BEST: 'loss:min',
    NKAT_DIR: '/work/here',
    NKAT_REQUIRE_GPU: 'true',
  });
});

test('a configuration file that was named is named again; one that was found is found again', () => {
  const file = '/work/nkat-recover.yaml';
  const named = { ...OWN, layers: [], file, fileNamed: true, profile: 'night' };
  expect(sessionLaunch(named, {}, false).environment).toEqual({ NKAT_CONFIG: file, NKAT_PROFILE: 'night' });
  expect(sessionLaunch({ ...named, fileNamed: false, profile: null }, {}, true)).toEqual({
    environment: {},
    noConfig: true,
  });
});

test('trainers find their devices and libraries again; secrets are not written down', () => {
  const environment = {
    CUDA_VISIBLE_DEVICES: '1',
    LD_LIBRARY_PATH: '/cuda/lib64',
    PATH: '/usr/bin',
    WANDB_API_KEY: 'secret',
    TF_SECRET: 'secret',
    HOME: '/home/me',
    NKAT_TOKEN: 'secret',
  };
  expect(sessionLaunch({ ...OWN, layers: [] }, environment, false).environment).toEqual({
    CUDA_VISIBLE_DEVICES: '1',
    LD_LIBRARY_PATH: '/cuda/lib64',
    PATH: '/usr/bin',
  });
});
