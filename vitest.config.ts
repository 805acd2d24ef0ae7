import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // Parts of trainers import the SDK by its name.
  resolve: {
    alias: {
      'nkat-recover/worker': source('src/worker/index.ts'),
      'nkat-recover/tfjs': source('src/worker/tfjs/index.ts'),
    },
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup-build.ts', 'test/setup-python.ts'],
    setupFiles: ['test/setup-test-end.ts'],
    // A bound for what hangs, on a machine five times slower and busy with others: what waits, waits for a condition.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    // Twice the cores of a small machine: most files wait for processes, signals and limits of time.
    maxWorkers: 4,
    // Cases that mostly wait run beside one another; more of them at once only slow one another down on two cores.
    maxConcurrency: 3,
    reporters: ['default'],
  },
});
