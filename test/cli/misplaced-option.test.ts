/** One of our own options behind the trainer: the end of a trainer that refuses it says where it belongs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { misplacedAmong, withMisplacedHint } from '../../src/cli/misplaced-option.ts';
import { ended } from './render/events.ts';
import { World } from './world.ts';

const OWN = [{ long: '--save-every' }, { long: '--save-every-steps' }, { long: '--name' }, { long: undefined }];

function hintOf(words: readonly string[], said: string, outcome: 'config-error' | 'gave-up' = 'config-error') {
  const end = ended({ outcome, reason: 'exit code 1', lastLines: ['at parse (x.js:1)', said] });
  const told = withMisplacedHint(end, misplacedAmong(words, OWN, 'before the trainer'));
  return told.name === 'session-ended' ? told.hint : undefined;
}

test('only what the trainer was given, is an option of ours and stands in its last words is named', () => {
  const refused = "TypeError: Unknown option '--save-every-steps'";
  expect(hintOf(['--save-every-steps=5', '--save-every', '1m', '--lr', '1'], refused)).toBe(
    '--save-every-steps is an option of nkat-recover: put it before the trainer.',
  );
  expect(hintOf(['--name', 'x', '--save-every', '1m'], 'unrecognized arguments: --name x --save-every 1m')).toBe(
    '--save-every and --name are options of nkat-recover: put them before the trainer.',
  );
  const own = ended({}).hint;
  expect(hintOf(['--lr', '1'], "Unknown option '--lr'")).toBe(own);
  expect(hintOf(['--name', 'x'], 'SyntaxError: Unexpected token')).toBe(own);
  expect(hintOf(['--save-every-steps', '1'], refused, 'gave-up')).toBe(own);
});

test('behind the trainer it is refused by the trainer, with its stack once on the screen, and with the place where it belongs', async () => {
  const world = new World();
  const trainer = join(world.directory, 'strict.mjs');
  writeFileSync(trainer, "import { parseArgs } from 'node:util';\nparseArgs({ options: {} });\n");
  const { code, stderr } = await world.cli(['run', trainer, '--gpu-profile', 'rtx3080']);
  expect(code).toBe(78);
  expect(stderr).toContain('--gpu-profile is an option of nkat-recover: put it before the trainer.');
  expect(stderr.match(/^TypeError .*Unknown option '--gpu-profile'/gm)).toHaveLength(1);
  const resumed = await world.cli(['resume', 'latest', '--', '--keep', '3']);
  expect(resumed.stderr).toContain('--keep is an option of nkat-recover: put it before the --.');
  const quiet = await world.cli(['resume', 'latest', '--quiet']);
  // Those that it had before: what was refused is not kept.
  expect(quiet.stderr).toContain("Unknown option '--gpu-profile'");
});
