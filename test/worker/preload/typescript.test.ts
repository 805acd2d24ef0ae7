import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TrainerFolder } from './trainer-folder.ts';

const ES_MODULE = `
import { readFile } from 'node:fs/promises';
enum Colour { Red = 3 }
const text: string = await readFile(import.meta.filename ?? new URL(import.meta.url), 'utf8');
console.log(Colour.Red, text.includes('enum'));
`;

test.each([
  ['no package.json', {}],
  ['"type": "commonjs"', { 'package.json': '{ "type": "commonjs" }' }],
  ['"type": "module"', { 'package.json': '{ "type": "module" }' }],
])('a .ts is an ES module with top-level await: %s', (_name, files) => {
  using trainer = new TrainerFolder({ ...files, 'train.ts': ES_MODULE, 'train.mts': ES_MODULE });
  for (const script of ['train.ts', 'train.mts']) {
    expect(trainer.run(script)).toMatchObject({ code: 0, stdout: '3 true\n', stderr: '' });
  }
});

test('relative imports find TypeScript files without an extension, behind .js, and in folders', () => {
  using trainer = new TrainerFolder({
    'train.ts': `
      import { a } from './a';
      import { b } from './b.js';
      import { c } from './c.mjs';
      import { d } from './d';
      import { e } from './real.js';
      console.log(a, b, c, d, e, (await import('./a')).a);`,
    'a.ts': 'export const a: number = 1;',
    'b.ts': 'export const b: number = 2;',
    'c.mts': 'export const c: number = 3;',
    'd/index.ts': 'export const d: number = 4;',
    'real.js': 'exports.e = 5;',
    'real.ts': 'export const e = "not this one";',
  });
  expect(trainer.run()).toMatchObject({ code: 0, stdout: '1 2 3 4 5 1\n' });
});

test('CommonJS in TypeScript works when it is imported and when it is required', () => {
  using trainer = new TrainerFolder({
    'train.ts': `
      import legacy, { twice } from './legacy.ts';
      import { named } from './exact.cts';
      import plain from './plain.cjs';
      console.log(twice(4), legacy === legacy.self(), named, plain);`,
    'legacy.ts': `
      const { times } = require('./helper');
      interface Shape<T> { readonly sides: T }
      exports.twice = (n: number): number => times(n, 2 as number);
      exports.self = () => module.exports;
      exports.shape = <Shape<number>>{ sides: 3 };`,
    'helper.ts': 'module.exports = { times: (a: number, b: number): number => a * b };',
    'exact.cts': 'import type { A } from "./a"; export const named: string = require("./helper").times(6, 7);',
    'plain.cjs': 'module.exports = require("./legacy").twice(5) + require("./module.ts").four;',
    'module.ts': 'export const four: number = 4;',
  });
  expect(trainer.run()).toMatchObject({ code: 0, stdout: '8 true 42 14\n' });
});

test('a CommonJS .ts is a trainer too', () => {
  using trainer = new TrainerFolder({
    'train.ts': `
      const { basename } = require('node:path');
      const { one }: { one: number } = require('./one');
      console.log(one, require.main === module, basename(__filename));`,
    'one.ts': 'exports.one = 1;',
  });
  expect(trainer.run()).toMatchObject({ code: 0, stdout: '1 true train.ts\n' });
});

test('words of CommonJS in texts, comments and types do not make a module CommonJS', () => {
  using trainer = new TrainerFolder({
    'train.ts': `
      // module.exports = require('x')
      type Options = { exports: string };
      const text: string = \`
import x from 'require'
\`;
      const options: Options = { exports: 'module' };
      console.log(await Promise.resolve(text.trim()), options.exports);`,
    'commonjs.ts': `const text = \`
export const no = 1;
\`;
module.exports = { text };`,
    'second.ts': `import { text } from './commonjs.ts'; console.log(text.trim());`,
  });
  expect(trainer.run()).toMatchObject({ code: 0, stdout: "import x from 'require' module\n" });
  expect(trainer.run('second.ts')).toMatchObject({ code: 0, stdout: 'export const no = 1;\n' });
});

test('threads of a trainer run TypeScript as well', () => {
  using trainer = new TrainerFolder({
    'train.ts': `import { Worker } from 'node:worker_threads'; new Worker(new URL('./thread.ts', import.meta.url));`,
    'thread.ts': 'import { threadId } from "node:worker_threads"; console.log("thread", (threadId as number) > 0);',
  });
  expect(trainer.run()).toMatchObject({ code: 0, stdout: 'thread true\n' });
});

test('what was transpiled once is kept, and a changed, damaged or unwritable cache breaks nothing', () => {
  using trainer = new TrainerFolder({ 'train.ts': 'const a: number = 1; console.log(a);' });
  const cache = join(trainer.home, 'cache/transpiled');
  const entry = (): string => join(cache, readdirSync(cache)[0] ?? '');
  expect(trainer.run().stdout).toBe('1\n');
  expect(readdirSync(cache)).toHaveLength(1);

  const whole = readFileSync(entry(), 'utf8');
  writeFileSync(entry(), whole.slice(0, whole.length / 2));
  expect(trainer.run().stdout).toBe('1\n');
  expect(readFileSync(entry(), 'utf8')).toBe(whole);
  writeFileSync(entry(), whole.replace('a = 1', 'a = 2'));
  expect(trainer.run().stdout).toBe('1\n');

  // Served from the cache: nothing writes the entry again.
  chmodSync(entry(), 0o400);
  expect(trainer.run().stdout).toBe('1\n');
  trainer.write('train.ts', 'const a: number = 3; console.log(a);');
  expect(trainer.run().stdout).toBe('3\n');
  expect(readdirSync(cache)).toHaveLength(2);

  rmSync(trainer.home, { recursive: true });
  mkdirSync(trainer.home);
  writeFileSync(join(trainer.home, 'cache'), 'a file where the folder should be');
  expect(trainer.run()).toMatchObject({ code: 0, stdout: '3\n', stderr: '' });
});
