import type { Hello } from '../../src/supervisor/channel-server.ts';

/** What a worker that has just started says first; `overrides` is what this one says else. */
export function helloOf(session: string, token: string, overrides: Partial<Hello> = {}): Hello {
  return {
    v: 1,
    type: 'hello',
    pidNamespace: null,
    role: 'worker',
    token,
    session,
    attempt: 1,
    pid: process.pid,
    welcomed: false,
    claim: null,
    step: 0,
    epoch: 0,
    phase: 'load',
    lastSaved: null,
    sdk: '0',
    ...overrides,
  };
}
