/** Vitest set-up file: tests that run beside one another clean up after themselves, each at its own end. */
import { followTests } from './rig/test-end.ts';

followTests();
