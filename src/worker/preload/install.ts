/** Puts the hooks in place, with what this Node has. */
import * as nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';
import { hookRequire } from './require-hooks.ts';
import type { Places } from './resolution.ts';
import { type RegisterHooks, threadHooks } from './thread-hooks.ts';

export function installHooks(places: Places): void {
  hookRequire(places);
  // Since Node 22.15; in this thread, where Node 20 starts one more for the hooks.
  const { registerHooks } = nodeModule as { registerHooks?: RegisterHooks };
  if (registerHooks !== undefined) {
    registerHooks(threadHooks(places));
    return;
  }
  const hooks = new URL('./import-hooks.js', import.meta.url);
  hooks.searchParams.set('places', JSON.stringify(places));
  nodeModule.register(hooks.href, pathToFileURL(places.anchor));
}
