/**
 * `npm run torture -- --cuts 500 --seed 7`: breaks the real thing as often as asked and looks whether anything was lost.
 * Ends with 0 when nothing was, 1 when something was, 64 when it was asked wrongly, 69 when this machine cannot.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { useOwnFolder } from './own-folder.ts';
import { ProgressBar } from './progress-bar.ts';
import { describeFindings, runCases } from './run-cases.ts';
import type { Scenario, TortureCase } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { summaryTable } from './summary-table.ts';

const flagOf = ({ takesCount }: Scenario) => ({ type: takesCount ? 'string' : 'boolean' }) as const;
const words = Object.entries(SCENARIOS).map(([name, { takesCount }]) => `--${name}${takesCount ? ' <how many>' : ''}`);
const USAGE = `npm run torture -- [${words.join('] [')}] [--seed <n>] [--jobs <n>]
npm run torture -- --case <id>          one case again
`;
const { values } = parseArgs({
  options: {
    ...Object.fromEntries(Object.entries(SCENARIOS).map(([name, scenario]) => [name, flagOf(scenario)])),
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.max(2, availableParallelism())) },
    case: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

function refuse(code: number, words: string): never {
  process.stderr.write(`${words}\n`);
  process.exit(code);
}

function numberOf(name: string, text: unknown): number {
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) refuse(64, `--${name} wants a whole number\n${USAGE}`);
  return Number(text);
}

if (values.help) refuse(0, USAGE);
const flags: Readonly<Record<string, unknown>> = values;
const seed = numberOf('seed', values.seed);
const asked = Object.entries(SCENARIOS).filter(([name]) => flags[name] !== undefined);
const cases: TortureCase[] = values.case.map(
  (id) =>
    Object.values(SCENARIOS)
      .map((scenario) => scenario.find(id))
      .find((found) => found !== null) ?? refuse(64, `there is no case ${id}`),
);
for (const [name, scenario] of asked) {
  if (scenario.unable !== null) refuse(69, `--${name}: not on this machine: ${scenario.unable}`);
  cases.push(...scenario.plan(scenario.takesCount ? numberOf(name, flags[name]) : 0, seed));
}
if (cases.length === 0) refuse(64, USAGE);

useOwnFolder();
const stop = new AbortController();
// The first asks to finish what runs, the second ends: nothing outlives this process.
process.once('SIGINT', () => {
  stop.abort();
  process.once('SIGINT', () => process.exit(130));
});
const began = performance.now();
const bar = new ProgressBar(
  process.stderr,
  cases.reduce((sum, { blows }) => sum + blows, 0),
);
const total = await runCases(cases, {
  jobs: numberOf('jobs', values.jobs),
  signal: stop.signal,
  onDone: (done, report) => {
    bar.advance(done.blows, report.violations.length);
    if (report.violations.length > 0) {
      const findings = report.violations.map((violation) => ({ ...violation, id: done.id, story: report.story }));
      bar.say(describeFindings(findings));
    }
  },
});
bar.end();
process.stdout.write(summaryTable({ total, seed, seconds: (performance.now() - began) / 1000 }));
process.exit(total.findings.length === 0 ? 0 : 1);
