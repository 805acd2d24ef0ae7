/** TypeScript and our packages for `require`, which hooks for imports reach in no Node or only in part. */
import nodeModule from 'node:module';
import { dirname } from 'node:path';
import { attempts, isNotFound, type Places } from './resolution.ts';
import { transpileFile } from './transpile.ts';

interface CommonJsModule {
  readonly filename?: string | null;
  readonly paths?: readonly string[];
  _compile(code: string, filename: string, format?: string): void;
}

/** The parts of Node's CommonJS loader that may be replaced; they have no types, and tools rely on them. */
interface CommonJsLoader {
  _resolveFilename(request: string, parent: unknown, isMain: boolean, options?: object): string;
  _nodeModulePaths(directory: string): string[];
  readonly _extensions: Record<string, (module: CommonJsModule, filename: string) => void>;
}

export function hookRequire(places: Places): void {
  const loader = nodeModule as unknown as CommonJsLoader;
  const resolveFilename = loader._resolveFilename.bind(loader);

  loader._resolveFilename = (request, parent, isMain, options) => {
    const from = (parent as CommonJsModule | null | undefined)?.filename ?? null;
    let failure: unknown;
    for (const attempt of attempts(request, from, places)) {
      try {
        if (attempt.kind === 'file') return resolveFilename(attempt.path, parent, isMain);
        if (attempt.kind === 'as-written') return resolveFilename(request, parent, isMain, options);
        const paths = loader._nodeModulePaths(dirname(attempt.from));
        return resolveFilename(request, { id: attempt.from, filename: attempt.from, paths }, false);
      } catch (error) {
        if (attempt.kind === 'as-written') failure = error;
        if (!isNotFound(error)) throw error;
      }
    }
    throw failure;
  };

  for (const extension of ['.ts', '.mts', '.cts']) {
    loader._extensions[extension] = (module, filename) => {
      const { format, code } = transpileFile(filename);
      module._compile(code, filename, format);
    };
  }
}
