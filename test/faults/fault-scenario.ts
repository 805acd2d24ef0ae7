/** System calls that fail: `fault/<act>/<call>/<error>`. There is nothing to choose by chance: each n-th call is met. */
import type { Scenario, TortureCase } from '../torture/scenario.ts';
import { type Act, CALLS, ERRORS, type FaultError, type FaultyCall } from './fault.ts';
import { runFaultCase } from './fault-case.ts';
import { whyNoFaults } from './why-no-faults.ts';

const ACTS: readonly Act[] = ['commit', 'settle'];

/** @param folder where the stores are made: any disk will do, for it is not the disk that fails */
export function faultScenario(folder: () => string): Scenario {
  return {
    name: 'faults',
    takesCount: false,
    get unable() {
      return whyNoFaults();
    },
    plan: () =>
      ACTS.flatMap((act) => CALLS.flatMap((call) => ERRORS.map((error) => faultCase(folder(), act, call, error)))),
    find(id) {
      const [kind, actName, callName, errorName] = id.split('/');
      const act = ACTS.find((one) => one === actName);
      const call = CALLS.find(({ name }) => name === callName);
      const error = ERRORS.find((one) => one === errorName);
      if (kind !== 'fault' || act === undefined || call === undefined || error === undefined) return null;
      return faultCase(folder(), act, call, error);
    },
  };
}

export function faultCase(folder: string, act: Act, call: FaultyCall, error: FaultError): TortureCase {
  return {
    id: `fault/${act}/${call.name}/${error}`,
    blows: 1,
    run: () => runFaultCase({ folder, act, call, error }),
  };
}
