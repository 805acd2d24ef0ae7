import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup-build.ts', 'test/setup-python.ts'],
    setupFiles: ['test/setup-test-end.ts'],
    // A bound for what hangs, on a machine five times slower and busy with others: what waits, waits for a condition.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default'],
  },
});
