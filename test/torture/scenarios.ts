/** What `npm run torture` can do; the flag that asks for each stands in main.ts. */
import { cutScenario } from '../power/cut-scenario.ts';
import type { Scenario } from './scenario.ts';

/** By the flag that says how many blows: `--cuts 500`. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  cuts: cutScenario(['ext4', 'xfs']),
};
