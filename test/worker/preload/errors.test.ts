import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TrainerFolder } from './trainer-folder.ts';

test('a stack names the lines of the TypeScript, in imported and in required files', () => {
  using trainer = new TrainerFolder({
    'train.ts': `import { fail } from './fail.ts';
interface Long {
  readonly gone: true;
}

enum Colour {
  Red,
}

fail(Colour.Red);
`,
    'fail.ts': `type Gone = {

};
exports.fail = (n: number): never => {
  throw new Error('on purpose ' + n);
};
`,
  });
  const { code, stderr } = trainer.run();
  expect(code).toBe(1);
  expect(stderr).toContain("  throw new Error('on purpose ' + n);");
  expect(stderr).toMatch(/Error: on purpose 0\n\s+at .*fail\.ts:5:9\)?\n\s+at .*train\.ts:10:1\)?\n/);
});

test('an error after the wasm backend has started is shown as it is', () => {
  using trainer = new TrainerFolder({
    'train.ts': `import { useBackend } from 'nkat-recover/tfjs';
await useBackend({ only: 'wasm' });
throw new Error('late');
`,
  });
  const { code, stderr } = trainer.run();
  expect(code).toBe(1);
  expect(stderr).toContain('train.ts:3');
  expect(stderr.length).toBeLessThan(2_000);
});

test('a syntax error names file, line and column and shows the line', () => {
  using trainer = new TrainerFolder({
    'train.ts': 'import "./broken.ts";\n',
    'broken.ts': 'export const a: number = 1;\nconst ä = "ü" +;\n',
  });
  const { code, stderr } = trainer.run();
  expect(code).toBe(1);
  expect(stderr).toContain(
    `${join(trainer.path, 'broken.ts')}:2:16\nconst ä = "ü" +;\n${' '.repeat(15)}^\n\nSyntaxError: Unexpected ";"\n`,
  );
});

test.each([
  ['a missing file', `import './nowhere.js';`, /Cannot find module '.*nowhere\.js' imported from .*train\.ts/],
  ['a missing package', `import 'nkat-recover-no-such';`, /Cannot find package 'nkat-recover-no-such' imported from/],
  ['a missing tfjs package', `import '@tensorflow/no-such';`, /Cannot find package '@tensorflow\/no-such'/],
])('%s is Node’s own error, with the place of the import', (_name, line, message) => {
  using trainer = new TrainerFolder({ 'train.ts': `const a: number = 1;\n  ${line}\nexport { a };\n` });
  const { code, stderr } = trainer.run();
  expect(code).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr).toContain('ERR_MODULE_NOT_FOUND');
  expect(stderr).toContain(`at ${join(trainer.path, 'train.ts')}:2:10`);
});

test('a missing export and a missing script are Node’s own errors', () => {
  using trainer = new TrainerFolder({
    'train.ts': `\nimport { absent } from './a.ts';\nconsole.log(absent);\n`,
    'a.ts': 'export const present = 1;',
  });
  const missing = trainer.run();
  expect(missing.stderr).toMatch(/train\.ts:2\nimport \{ absent \} from '\.\/a\.ts';/);
  expect(missing.stderr).toContain("does not provide an export named 'absent'");
  expect(trainer.run('not-there.ts')).toMatchObject({ code: 1, stderr: expect.stringContaining('Cannot find module') });
});
