/** Kill storms: `kill/<kind>/<kills>/<seed>`. */
import { chanceOf } from '../rig/seeded.ts';
import { FAKETIME_LIBRARY } from '../rig/set-clock.ts';
import { whyNoMounts } from '../rig/small-disk.ts';
import type { Scenario, TortureCase } from '../torture/scenario.ts';
import { runStormCase } from './storm-case.ts';
import type { StormKind } from './storm-world.ts';

const KINDS: readonly StormKind[] = ['plain', 'clock', 'disk'];
/** One session takes so many, so that its start costs little and each one falls on what the ones before left. */
const KILLS_IN_A_STORM = 25;

export const stormScenario: Scenario = {
  name: 'kills',
  takesCount: true,
  get unable() {
    if (process.platform !== 'linux') return 'the process table is read as Linux has it';
    if (FAKETIME_LIBRARY === undefined) return 'libfaketime is not installed (Debian: faketime)';
    return whyNoMounts();
  },
  plan(blows, seed) {
    const chance = chanceOf(seed * 3 + 2);
    const cases: TortureCase[] = [];
    for (let left = blows; left > 0; ) {
      const kills = Math.min(left, KILLS_IN_A_STORM);
      left -= kills;
      cases.push(stormCase(KINDS[cases.length % KINDS.length] ?? 'plain', kills, chance.between(0, 999_999_999)));
    }
    return cases;
  },
  find(id) {
    const [word, name, kills, seed] = id.split('/');
    const kind = KINDS.find((one) => one === name);
    return word !== 'kill' || kind === undefined ? null : stormCase(kind, Number(kills), Number(seed));
  },
};

function stormCase(kind: StormKind, kills: number, seed: number): TortureCase {
  return { id: `kill/${kind}/${kills}/${seed}`, blows: kills, run: () => runStormCase({ kind, kills, seed }) };
}
