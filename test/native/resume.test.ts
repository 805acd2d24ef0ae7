/** Real training on TensorFlow's own library: killed, carried to wasm and back, refused without a GPU. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Run, signalPid, testInWorld as test, type World } from '../process/rig.ts';
import { whereNative } from '../rig/native-backend.ts';

const BARS = fileURLToPath(new URL('../../fixtures/trainers/bars.mjs', import.meta.url));
const OPTIONS = ['--save-every-steps', '4', '--save-every', '1h'];

whereNative('a run on the native backend', ({ folder, record }) => {
  const native = { NKAT_BACKEND: folder };
  const wasm = { NKAT_BACKEND: 'off' };

  function start(
    world: World,
    kind: string,
    environment: NodeJS.ProcessEnv,
    waits: string,
    options: string[] = [],
  ): Run {
    const go = join(world.directory, 'go');
    const line = [BARS, '--kind', kind, '--wait-at', waits, '--go', go];
    return world.start(['run', '--json', ...OPTIONS, ...options, ...line], undefined, environment);
  }

  /** It stands before this step, and the checkpoint before it is safe. */
  async function standing(run: Run, step: number): Promise<number> {
    await run.event('output', ({ line }) => line.startsWith(`waiting before step ${step}:`));
    // One that comes while another is in flight is passed over: which of them is saved is not known, that one is, is.
    const began = run.events.findLastIndex(({ name }) => name === 'training-started');
    await run.until(() => run.events.slice(began).some(({ name }) => name === 'saved'));
    const line = run.outputLines().findLast((each) => each.startsWith(`waiting before step ${step}:`)) ?? '';
    return Number(line.split(' ').at(-1));
  }

  const accuracies = (run: Run, words: string): number[] =>
    run.outputLines().flatMap((line) => (line.startsWith(words) ? [Number(line.split(' ').at(-1))] : []));

  test.concurrent('killed twice with SIGKILL it ends with the very state of an undisturbed one', async ({ world }) => {
    const run = start(world, 'convolution', native, '11,30');
    for (const step of [11, 30]) {
      await standing(run, step);
      const { pid } = run.named('worker-connected').at(-1) ?? { pid: 0 };
      writeFileSync(join(world.directory, `go.${step}`), '');
      signalPid(pid, 'SIGKILL');
      await run.event('recovered', () => true, step === 11 ? 1 : 2);
    }
    await run.ended(0);
    const backend = `Backend: TensorFlow ${record.tensorflow} on the CPU (tfjs-node, tfjs ${record.tfjs})`;
    expect(run.outputLines().filter((line) => line === backend)).toHaveLength(3);
    expect(run.named('training-started').map((event) => event.backend)).toEqual([
      'tfjs-node',
      'tfjs-node',
      'tfjs-node',
    ]);
    const undisturbed = start(world, 'convolution', native, '', ['--new', '--name', 'undisturbed']);
    await undisturbed.ended(0);
    expect(await digest(world, 0)).toBe(await digest(world, 1));
    expect(accuracies(run, 'in the end')[0]).toBeGreaterThan(0.9);
  });

  for (const { from, to, names } of [
    { from: wasm, to: native, names: ['tfjs-wasm', 'tfjs-node'] },
    { from: native, to: wasm, names: ['tfjs-node', 'tfjs-wasm'] },
  ]) {
    test.concurrent(`a checkpoint of ${names[0]} goes on on ${names[1]} with its accuracy`, async ({ world }) => {
      const first = start(world, 'dense', from, '30');
      const before = await standing(first, 30);
      first.signal('SIGINT');
      await first.event('stop-requested');
      writeFileSync(join(world.directory, 'go.30'), '');
      await first.ended(75);
      // The same line goes on.
      const second = start(world, 'dense', to, '30');
      await second.ended(0);
      const started = [...first.named('training-started'), ...second.named('training-started')];
      expect(started.map(({ backend }) => backend)).toEqual(names);
      const [after = 0] = accuracies(second, 'at step');
      expect(before).toBeGreaterThan(0.8);
      // One more step was made after the words; the numbers of two backends differ in their last bits.
      expect(Math.abs(after - before)).toBeLessThan(0.05);
      expect(accuracies(second, 'in the end')[0]).toBeGreaterThan(0.85);
    });
  }

  test.concurrent('--require-gpu refuses the CPU with 78 and the reason', async ({ world }) => {
    const run = start(world, 'dense', native, '', ['--require-gpu']);
    await run.ended(78);
    expect(run.outputLines().join('\n')).toContain('native: its TensorFlow (cpu) sees no GPU');
    expect(run.named('worker-ended')).toMatchObject([{ class: 'config' }]);
  });

  test.concurrent("TensorFlow's own log stands in the log, not on the screen", async ({ world }) => {
    const run = world.start(['run', ...OPTIONS, BARS, '--steps', '3'], undefined, native);
    await run.ended(0);
    expect(run.stdout).toContain('in the end on tfjs-node');
    expect(run.stderr).toContain('Backend: TensorFlow');
    expect(run.stdout + run.stderr).not.toContain('cpu_feature_guard');
    const [, log = ''] = /^Log in (.*)$/m.exec(run.stderr) ?? [];
    expect(readFileSync(log, 'utf8')).toContain('cpu_feature_guard');
  });
});

/** Of the newest checkpoint of the n-th session from the newest. */
async function digest(world: World, nth: number): Promise<string> {
  const { sessions } = (await world.query(['list'])) as { sessions: { id: string }[] };
  const shown = (await world.query(['show', sessions[nth]?.id ?? ''])) as {
    checkpoints: { step: number; digest: string }[];
  };
  const last = shown.checkpoints.find(({ step }) => step === 40);
  if (last === undefined) throw new Error(`no checkpoint of step 40: ${JSON.stringify(shown)}`);
  return last.digest;
}
