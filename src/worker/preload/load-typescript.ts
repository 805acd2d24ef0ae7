/** A TypeScript file as Node's import loader takes it. */
import type { LoadFnOutput } from 'node:module';
import { transpileFile, typescriptPath } from './transpile.ts';

/** Null when the URL is no TypeScript file. */
export function loadTypescript(url: string): LoadFnOutput | null {
  const path = typescriptPath(url);
  if (path === null) return null;
  const { format, code } = transpileFile(path);
  return { format, source: format === 'module' ? code : handedToRequire(code), shortCircuit: true };
}

/**
 * Node reads the names of the exports from this text and then runs it. What runs is the file through `require`'s own
 * hooks (require-hooks.ts), so that its `require` is the real one; the code itself only stands there to be read.
 */
function handedToRequire(code: string): string {
  const unmapped = code.replace(/^\/\/# sourceMappingURL=.*$/gm, '');
  return `process.getBuiltinModule('module')._extensions['.ts'](module, __filename);\n(function () {\n${unmapped}\n});`;
}
