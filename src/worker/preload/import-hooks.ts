/** Hooks for `module.register` (Node 20): they run in Node's hooks thread and see imports only. */
import type { LoadHook, ResolveHook } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { pointAtImport } from './import-place.ts';
import { loadTypescript } from './load-typescript.ts';
import { attempts, isNotFound, type Places } from './resolution.ts';

const places = JSON.parse(new URL(import.meta.url).searchParams.get('places') ?? '') as Places;

export const resolve: ResolveHook = async (specifier, context, next) => {
  const parent = context.parentURL?.startsWith('file:') ? fileURLToPath(context.parentURL) : null;
  let failure: unknown;
  for (const attempt of attempts(specifier, parent, places)) {
    try {
      if (attempt.kind === 'file') return await next(pathToFileURL(attempt.path).href, context);
      if (attempt.kind === 'as-written') return await next(specifier, context);
      return await next(specifier, { ...context, parentURL: pathToFileURL(attempt.from).href });
    } catch (error) {
      if (attempt.kind === 'as-written') failure = error;
      if (!isNotFound(error)) throw error;
    }
  }
  throw pointAtImport(failure, specifier, parent);
};

export const load: LoadHook = async (url, context, next) => loadTypescript(url) ?? next(url, context);
