import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attempts } from '../../../src/worker/preload/resolution.ts';
import { ROOT, TrainerFolder } from './trainer-folder.ts';

const TFJS_CORE = {
  'node_modules/@tensorflow/tfjs-core/package.json': '{ "name": "@tensorflow/tfjs-core", "main": "index.js" }',
  'node_modules/@tensorflow/tfjs-core/index.js': `
    exports.version_core = 'the trainer’s own';
    exports.getBackend = () => 'mine';`,
};

test('a trainer anywhere imports the SDK and one and the same tfjs', () => {
  using trainer = new TrainerFolder({
    'train.ts': `
      import * as tf from '@tensorflow/tfjs-core';
      import * as tfl from '@tensorflow/tfjs-layers';
      import { tfjsState, useBackend } from 'nkat-recover/tfjs';
      const { name } = await useBackend({ only: 'cpu' });
      const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [1] })] });
      const state = tfjsState({ model, optimizer: tf.train.sgd(1) });
      console.log(name, tf.getBackend(), state.snapshot().tensors.length);`,
  });
  expect(trainer.run()).toMatchObject({ code: 0, stdout: 'tfjs-cpu cpu 2\n' });
});

test('the trainer’s own tfjs wins, for our SDK too, imported and required', () => {
  using trainer = new TrainerFolder({
    ...TFJS_CORE,
    'train.ts': `
      import { createRequire } from 'node:module';
      import * as tf from '@tensorflow/tfjs-core';
      import { tfjsState } from 'nkat-recover/tfjs';
      const require = createRequire(${JSON.stringify(join(ROOT, 'node_modules/@tensorflow/tfjs-layers/package.json'))});
      console.log(tf.version_core, tfjsState({ model: {} }).versions.tfjs, require('@tensorflow/tfjs-core') === tf.default);`,
  });
  expect(trainer.run()).toMatchObject({ code: 0, stdout: 'the trainer’s own the trainer’s own true\n' });
});

test('an nkat-recover of the trainer’s own wins', () => {
  using trainer = new TrainerFolder({
    'node_modules/nkat-recover/package.json': '{ "name": "nkat-recover", "exports": { "./worker": "./worker.js" } }',
    'node_modules/nkat-recover/worker.js': 'exports.mine = true;',
    'src/train.ts': `import { mine } from 'nkat-recover/worker'; console.log(mine, require('nkat-recover/worker').mine);
      import { createRequire } from 'node:module';
      function require(name: string) { return createRequire(import.meta.url)(name); }`,
  });
  expect(trainer.run('src/train.ts')).toMatchObject({ code: 0, stdout: 'true true\n' });
});

test('our other dependencies are not offered', () => {
  using trainer = new TrainerFolder({ 'train.ts': `import 'zod';` });
  expect(trainer.run()).toMatchObject({ code: 1, stderr: expect.stringContaining("Cannot find package 'zod'") });
});

describe('where to look', () => {
  const places = { anchor: '/opt/nkat/dist/worker/preload.js', root: '/opt/nkat', trainer: '/home/me' };
  const kinds = (specifier: string, parent: string | null, from = places) =>
    attempts(specifier, parent, from).map((attempt) =>
      attempt.kind === 'from' ? attempt.from : attempt.kind === 'file' ? attempt.path : attempt.kind,
    );

  test('a trainer’s imports of the SDK and tfjs: its own place, the script’s, ours', () => {
    const expected = ['as-written', '/home/me/trainer.js', '/opt/nkat/dist/worker/preload.js'];
    expect(kinds('nkat-recover/worker', '/home/me/lib/a.ts')).toEqual(expected);
    expect(kinds('@tensorflow/tfjs-core', null)).toEqual(expected);
  });

  test('our own imports of tfjs: the script’s place first', () => {
    const expected = ['/home/me/trainer.js', 'as-written', '/opt/nkat/dist/worker/preload.js'];
    expect(kinds('@tensorflow/tfjs-core', '/opt/nkat/dist/worker/tfjs/index.js')).toEqual(expected);
  });

  test('tfjs that was installed beside us counts as ours', () => {
    const root = '/app/node_modules/nkat-recover';
    const hoisted = { ...places, root, anchor: `${root}/dist/worker/preload.js` };
    expect(kinds('@tensorflow/tfjs-core', '/app/node_modules/@tensorflow/tfjs-layers/x.js', hoisted)[0]).toBe(
      '/home/me/trainer.js',
    );
    expect(kinds('@tensorflow/tfjs-core', '/home/me/node_modules/@tensorflow/tfjs/x.js', hoisted)[0]).toBe(
      'as-written',
    );
  });

  test('other packages, Node’s own modules and imports inside packages are left alone', () => {
    for (const specifier of ['zod', 'node:fs', 'fs', '@tensorflowish/a', 'nkat-recover-x']) {
      expect(kinds(specifier, '/home/me/train.ts')).toEqual(['as-written']);
    }
    expect(kinds('./a', '/home/me/node_modules/x/index.js')).toEqual(['as-written']);
  });
});
