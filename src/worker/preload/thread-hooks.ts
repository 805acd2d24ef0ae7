/** Hooks for `module.registerHooks` (Node 22.15 and later): synchronous, in the trainer's own thread. */
import type { LoadFnOutput, ResolveFnOutput } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pointAtImport } from './import-place.ts';
import { loadTypescript } from './load-typescript.ts';
import { attempts, isNotFound, type Places } from './resolution.ts';

interface ResolveContext {
  readonly parentURL?: string | undefined;
}

type Resolve = (specifier: string, context: ResolveContext) => ResolveFnOutput;
type Load = (url: string, context: object) => LoadFnOutput;

/** The part of Node's hooks that is used here; Node 20's types do not have them. */
interface ThreadHooks {
  resolve(specifier: string, context: ResolveContext, next: Resolve): ResolveFnOutput;
  load(url: string, context: object, next: Load): LoadFnOutput;
}

export type RegisterHooks = (hooks: ThreadHooks) => unknown;

export function threadHooks(places: Places): ThreadHooks {
  return {
    resolve(specifier, context, next) {
      const parent = context.parentURL?.startsWith('file:') ? fileURLToPath(context.parentURL) : null;
      let failure: unknown;
      for (const attempt of attempts(specifier, parent, places)) {
        try {
          if (attempt.kind === 'file') return next(pathToFileURL(attempt.path).href, context);
          if (attempt.kind === 'as-written') return next(specifier, context);
          return next(specifier, { ...context, parentURL: pathToFileURL(attempt.from).href });
        } catch (error) {
          if (attempt.kind === 'as-written') failure = error;
          if (!isNotFound(error)) throw error;
        }
      }
      throw pointAtImport(failure, specifier, parent);
    },
    load: (url, context, next) => loadTypescript(url) ?? next(url, context),
  };
}
