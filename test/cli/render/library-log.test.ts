import { expect, test } from 'vitest';
import { isLibraryLog } from '../../../src/cli/render/library-log.ts';

test.each([
  'WARNING: All log messages before absl::InitializeLog() is called are written to STDERR',
  'I0000 00:00:1795459115.294261   19596 cpu_feature_guard.cc:227] This TensorFlow binary is optimized to use available CPU instructions in performance-critical operations.',
  'To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow with the appropriate compiler flags.',
  '2026-11-23 18:38:35.294261: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.',
  '2026-11-23 18:38:35.294261: W tensorflow/core/framework/cpu_allocator_impl.cc:84] Allocation of 1 exceeds 10% of free memory',
])('kept from the screen: %s', (line) => {
  expect(isLibraryLog('stderr', line)).toBe(true);
  expect(isLibraryLog('stdout', line)).toBe(false);
});

test.each([
  '2026-11-23 18:38:35.294261: E tensorflow/core/x.cc:1] failed call to cuInit',
  'F0000 00:00:1795459115.294261   19596 tensor.cc:1] Check failed',
  'Backend: TensorFlow 2.21.0 on the CPU (tfjs-node, tfjs 4.22.0)',
  'W is a warning of mine',
  'I0000 am a robot',
])('shown: %s', (line) => {
  expect(isLibraryLog('stderr', line)).toBe(false);
});
