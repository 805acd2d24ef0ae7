/** Power cuts: `cut/<file system>/<cuts>/<seed>`. */
import { chanceOf } from '../rig/seeded.ts';
import type { Scenario, TortureCase } from '../torture/scenario.ts';
import { runCutCase } from './cut-case.ts';
import type { FileSystem } from './machine.ts';
import { whyNoPower } from './why-no-power.ts';

/** Several cuts in a row are more hostile than one: a recovery that is cut itself. */
const MOST_IN_A_ROW = 6;

export function cutScenario(fileSystems: readonly FileSystem[]): Scenario {
  return {
    name: 'cuts',
    takesCount: true,
    get unable() {
      return whyNoPower(fileSystems);
    },
    plan: (blows, seed) => fileSystems.flatMap((fileSystem, index) => plan(fileSystem, share(blows, index), seed)),
    find(id) {
      const [kind, fileSystem, cuts, seed] = id.split('/');
      if (kind !== 'cut' || (fileSystem !== 'ext4' && fileSystem !== 'xfs')) return null;
      return cutCase(fileSystem, Number(cuts), Number(seed));
    },
  };

  function share(blows: number, index: number): number {
    return Math.floor(blows / fileSystems.length) + (index < blows % fileSystems.length ? 1 : 0);
  }
}

function plan(fileSystem: FileSystem, blows: number, seed: number): TortureCase[] {
  const chance = chanceOf(seed * 2 + (fileSystem === 'xfs' ? 1 : 0));
  const cases: TortureCase[] = [];
  for (let left = blows; left > 0; ) {
    const cuts = Math.min(left, chance.between(1, MOST_IN_A_ROW));
    left -= cuts;
    cases.push(cutCase(fileSystem, cuts, chance.between(0, 999_999_999)));
  }
  return cases;
}

function cutCase(fileSystem: FileSystem, cuts: number, seed: number): TortureCase {
  return {
    id: `cut/${fileSystem}/${cuts}/${seed}`,
    blows: cuts,
    run: () => runCutCase({ fileSystem, cuts, seed }),
  };
}
