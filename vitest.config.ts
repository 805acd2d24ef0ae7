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
    // Twice the cores of a small machine: most files wait for processes, signals and limits of time.
    maxWorkers: 4,
    // Cases that mostly wait run beside one another; more of them at once only slow one another down on two cores.
    maxConcurrency: 3,
    reporters: ['default'],
  },
});
