/** Vitest reporter: names each test that passed only when it was tried again, with why it failed first. Such a test, or what it tests, has a flaw. */
import type { Reporter, TestCase } from 'vitest/node';

export default class SecondTries implements Reporter {
  readonly #found: string[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return;
    const why = (test.result().errors ?? []).map(({ message, stack }) => stack ?? message);
    this.#found.push([`${test.module.relativeModuleId} > ${test.fullName}`, ...why].join('\n  '));
  }

  onTestRunEnd(): void {
    for (const words of this.#found) console.log(`Passed at its second try only: ${words}\n`);
  }
}
