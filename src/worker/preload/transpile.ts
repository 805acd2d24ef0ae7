/** TypeScript to JavaScript by esbuild, one file at a time, without type checks. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as Esbuild from 'esbuild';
import { stateHome } from '../../home.ts';
import { cacheKey, readCached, type Transpiled, writeCached } from './transpile-cache.ts';
import { typescriptSyntaxError } from './typescript-syntax-error.ts';

const require = createRequire(import.meta.url);

const OPTIONS = {
  loader: 'ts',
  target: 'node20',
  // Names the exports of CommonJS output in the way that Node looks for them.
  platform: 'node',
  sourcemap: 'inline',
  legalComments: 'none',
} as const satisfies Esbuild.TransformOptions;

/** Names that only a CommonJS module has. */
const COMMONJS_NAMES = /\b(?:require|module|exports|__filename|__dirname)\b/;
/** An import or export statement in esbuild's output, where top-level statements start a line. */
const MODULE_SYNTAX = /^(?:import(?!\s*[(.])\b|export\b)|\bimport\.meta\b/m;

/** The path of a TypeScript file behind a module URL, else null. */
export function typescriptPath(url: string): string | null {
  if (!url.startsWith('file:')) return null;
  const { pathname } = new URL(url);
  return /\.[mc]?ts$/.test(pathname) ? fileURLToPath(url) : null;
}

/**
 * Reads and transpiles a file.
 * @throws SyntaxError with file, line and column when it is not TypeScript.
 */
export function transpileFile(path: string): Transpiled {
  const source = readFileSync(path, 'utf8');
  const { version } = require('esbuild/package.json') as { version: string };
  const name = basename(path);
  const key = cacheKey(version, JSON.stringify(OPTIONS), name, source);
  const directory = stateHome().cache;
  const cached = readCached(directory, key);
  if (cached !== null) return cached;
  const transpiled = transpile(path, source);
  writeCached(directory, key, transpiled);
  return transpiled;
}

function transpile(path: string, source: string): Transpiled {
  const { transformSync } = loadEsbuild();
  // Relative to the module's own URL, so that one cache entry serves the file in any folder.
  const sourcefile = encodeURIComponent(basename(path));
  const transform = (options: Esbuild.TransformOptions): string => {
    try {
      return transformSync(source, { ...OPTIONS, sourcefile, ...options }).code;
    } catch (error) {
      throw typescriptSyntaxError(path, error);
    }
  };
  const extension = extname(path);
  if (extension === '.cts') return { format: 'commonjs', code: transform({ format: 'cjs' }) };
  // Without a format esbuild leaves the file the kind of module that it is.
  const module: Transpiled = { format: 'module', code: transform({}) };
  if (extension === '.mts' || !COMMONJS_NAMES.test(source)) return module;
  // Without template literals no line of a text can look like a statement; types and comments are gone as well.
  const plain = transform({ sourcemap: false, supported: { 'template-literal': false } });
  if (!COMMONJS_NAMES.test(plain) || MODULE_SYNTAX.test(plain)) return module;
  try {
    return { format: 'commonjs', code: transform({ format: 'cjs' }) };
  } catch {
    // Valid as a module, as seen above, but not as CommonJS: it awaits at top level.
    return module;
  }
}

/** With one short-lived child per call: a service process would stay in the worker's process group. */
function loadEsbuild(): typeof Esbuild {
  const before = process.env.ESBUILD_WORKER_THREADS;
  process.env.ESBUILD_WORKER_THREADS = '0';
  try {
    return require('esbuild') as typeof Esbuild;
  } finally {
    if (before === undefined) delete process.env.ESBUILD_WORKER_THREADS;
    else process.env.ESBUILD_WORKER_THREADS = before;
  }
}
