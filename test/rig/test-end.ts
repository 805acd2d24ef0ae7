/** What a test leaves behind is undone when it ends, also where tests run beside one another in one file. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { aroundEach, onTestFinished } from 'vitest';

type Register = (undo: () => unknown) => void;

/** Vitest's own `onTestFinished` knows one current test a file; this one follows the calls of each. */
const present = new AsyncLocalStorage<Register>();

/** For a set-up file: from then on {@link atTestEnd} knows which test calls it. */
export function followTests(): void {
  aroundEach((runTest, { onTestFinished: register }) =>
    present.run((undo) => register(async () => void (await undo())), runTest),
  );
}

/** Calls `undo` when the test that is running ends, however it ends; what was registered last comes first. */
export function atTestEnd(undo: () => unknown): void {
  const register = present.getStore() ?? ((work) => onTestFinished(async () => void (await work())));
  register(undo);
}
