/** What the checks find on cards as nvidia-smi tells of them. */
import { expect, it } from 'vitest';
import { checkAnswer } from '../../src/doctor/checks/answer.ts';
import { checkCardHealth } from '../../src/doctor/checks/card-health.ts';
import { checkEcc } from '../../src/doctor/checks/ecc.ts';
import { checkPersistence } from '../../src/doctor/checks/persistence.ts';
import { checkPowerLimit } from '../../src/doctor/checks/power-limit.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { lookAtCards } from '../../src/gpu/look.ts';
import { FakeSmi, type Scene } from '../rig/fake-smi.ts';

const ANSWER_MS = 20_000;

async function findings(scene: Scene, answerMs = ANSWER_MS): Promise<Finding[]> {
  const fake = await FakeSmi.start(scene);
  const look = await lookAtCards(fake.command, () => performance.now(), answerMs);
  const cards = look.cards.flatMap(({ sample, inventory }) => [
    ...checkCardHealth(sample),
    ...checkEcc(sample),
    ...checkPersistence(sample),
    ...checkPowerLimit(sample, inventory),
  ]);
  return [...checkAnswer(look), ...cards];
}

it.concurrent('finds a healthy card healthy', async () => {
  const all = await findings({ cards: [{ model: 'a100' }] });
  expect(all.map(({ check, severity }) => `${check} ${severity}`)).toEqual([
    'gpu ok',
    'ecc ok',
    'persistence ok',
    'power-limit ok',
  ]);
});

it.concurrent('finds memory errors, ECC that is off, persistence that is off, a power limit that was lowered', async () => {
  const errors = { 'ecc.errors.uncorrected.volatile.total': '3', 'enforced.power.limit': '250.00' };
  const off = { 'ecc.mode.current': 'Disabled', persistence_mode: 'Disabled' };
  const all = await findings({
    cards: [
      { model: 'a100', values: errors },
      { model: 'a100', values: off },
    ],
  });
  expect(all).toContainEqual(expect.objectContaining({ check: 'ecc', severity: 'problem' }));
  expect(all).toContainEqual(
    expect.objectContaining({ check: 'power-limit', severity: 'warning', mend: 'sudo nvidia-smi -i 0 -pl 400' }),
  );
  expect(all).toContainEqual(
    expect.objectContaining({ check: 'ecc', severity: 'note', mend: expect.stringContaining('-i 1 -e 1') }),
  );
  expect(all).toContainEqual(
    expect.objectContaining({ check: 'persistence', severity: 'note', mend: 'sudo nvidia-smi -i 1 -pm 1' }),
  );
});

it.concurrent('finds a card that is lost or wants a reset', async () => {
  const cards = [
    { model: 'rtx3080', gone: '[GPU is lost]' },
    { model: 'rtx3080', gone: '[GPU requires reset]' },
  ];
  const all = (await findings({ cards })).filter(({ check }) => check === 'card');
  expect(all).toMatchObject([
    { severity: 'problem', mend: expect.stringContaining('Reboot') },
    { severity: 'problem', mend: expect.stringContaining('--gpu-reset -i 1') },
  ]);
});

it.concurrent.each([
  [9, 'not loaded'],
  [12, 'library'],
  [15, 'fallen off the bus'],
  [16, 'needs a reset'],
  [18, 'upgraded'],
])('says what exit code %i of nvidia-smi means, and what helps', async (code, words) => {
  const [finding, ...rest] = await findings({ cards: [], exit: { code } });
  expect(rest).toEqual([]);
  expect(finding).toMatchObject({ check: 'gpu', severity: 'problem', words: expect.stringContaining(words) });
  expect(finding?.mend).not.toBeNull();
});

it.concurrent('gives up an nvidia-smi that is stuck', async () => {
  const all = await findings({ cards: [{ model: 'rtx3080' }], hang: true }, 3_000);
  expect(all).toMatchObject([{ check: 'gpu', severity: 'problem', words: expect.stringContaining('stuck') }]);
});

it.concurrent('takes a machine without cards for no patient', async () => {
  expect(await findings({ cards: [] })).toMatchObject([{ check: 'gpu', severity: 'note' }]);
});
