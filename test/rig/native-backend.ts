/** The native backend that CI builds once; tests only use it: `NKAT_HOME=node_modules/.cache/native nkat-recover backend install --cpu`. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type InstalledBackend, installedBackends } from '../../src/installed-backend.ts';
import { wherePossible } from './where-possible.ts';

/** A state home of its own within what `npm ci` makes anew: no package carries it, and no test builds it. */
const HOME = fileURLToPath(new URL('../../node_modules/.cache/native', import.meta.url));

export function whereNative(name: string, declare: (native: InstalledBackend) => void): void {
  const native = installedBackends({ directory: HOME }).find(({ record }) => record.flavour === 'cpu') ?? null;
  const need = {
    why: native === null ? `no native backend in ${join(HOME, 'backends')}` : null,
    promise: 'NKAT_REQUIRE_NATIVE',
    broken: 'this machine must have the native backend, and has not',
  };
  wherePossible(name, need, () => {
    if (native !== null) declare(native);
  });
}
