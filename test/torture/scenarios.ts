/** What `npm run torture` can do; the flag that asks for each stands in main.ts. */
import { tmpdir } from 'node:os';
import { faultScenario } from '../faults/fault-scenario.ts';
import { cutScenario } from '../power/cut-scenario.ts';
import { stormScenario } from '../storm/storm-scenario.ts';
import type { Scenario } from './scenario.ts';

/** By the flag that asks for it: `--cuts 500`, `--faults`. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  cuts: cutScenario(['ext4', 'xfs']),
  kills: stormScenario,
  faults: faultScenario(tmpdir),
};
