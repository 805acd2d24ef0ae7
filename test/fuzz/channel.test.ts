/** Anybody at the socket: right and wrong tokens, any bytes in any splitting, what was said before said again. */
import { createConnection, type Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WORKER_MESSAGES, type WorkerMessage } from '../../src/protocol/messages.ts';
import { ChannelServer, type Hello, type WorkerReport } from '../../src/supervisor/channel-server.ts';
import { valuesOf } from '../protocol/message-arbitraries.ts';
import { waitFor } from '../rig/wait-for.ts';
import { helloOf } from '../supervisor/hello.ts';
import { uniqueSession } from '../supervisor/launching.ts';
import { fuzzing, fuzzingTimeoutMs } from './runs.ts';

const TOKEN = 'the right token';

type Action =
  | { readonly do: 'connect' }
  | { readonly do: 'hello'; readonly role: Hello['role']; readonly token: string; readonly mine: boolean }
  | { readonly do: 'say'; readonly message: WorkerMessage }
  | { readonly do: 'bytes'; readonly bytes: Uint8Array }
  /** What the connection has sent so far, once more. */
  | { readonly do: 'replay' }
  | { readonly do: 'leave' };

const message = fc.oneof(...WORKER_MESSAGES.map((schema) => valuesOf(schema))) as fc.Arbitrary<WorkerMessage>;
const action: fc.Arbitrary<{ readonly who: number; readonly action: Action }> = fc.record({
  who: fc.nat(3),
  action: fc.oneof(
    { weight: 2, arbitrary: fc.constant<Action>({ do: 'connect' }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('hello' as const),
        role: fc.constantFrom('worker' as const, 'control' as const),
        token: fc.constantFrom(TOKEN, TOKEN, '', 'another'),
        mine: fc.boolean(),
      }),
    },
    { weight: 6, arbitrary: message.map((said) => ({ do: 'say', message: said }) as const) },
    {
      weight: 2,
      arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ do: 'bytes', bytes }) as const),
    },
    { weight: 1, arbitrary: fc.constant<Action>({ do: 'replay' }) },
    { weight: 1, arbitrary: fc.constant<Action>({ do: 'leave' }) },
  ),
});

/** One of those who come to the socket. */
class Guest {
  socket: Socket | null = null;
  #sent: Buffer[] = [];
  /** It introduced itself rightly. What it said before that may have been blanks, which are nothing, or have barred it. */
  admitted = false;
  readonly said: string[] = [];

  connect(path: string): void {
    this.leave();
    this.socket = createConnection(path).on('error', () => undefined);
    this.socket.resume();
  }

  leave(): void {
    this.socket?.destroy();
    this.socket = null;
    this.#sent = [];
    this.admitted = false;
  }

  send(bytes: Buffer): void {
    this.#sent.push(bytes);
    this.socket?.write(bytes);
  }

  introduce(hello: Hello, isRight: boolean): void {
    if (isRight) this.admitted = true;
    this.send(Buffer.from(`${JSON.stringify(hello)}\n`));
  }

  say(message: WorkerMessage): void {
    if (this.admitted) this.said.push(JSON.stringify(message));
    // A line of its own, whatever stands before it.
    this.send(Buffer.from(`\n${JSON.stringify(message)}\n`));
  }

  replay(): void {
    for (const bytes of [...this.#sent]) this.send(bytes);
  }
}

function act(guest: Guest, action: Action, path: string, session: string): void {
  switch (action.do) {
    case 'connect':
      guest.connect(path);
      break;
    case 'hello': {
      const isRight = action.mine && action.token === TOKEN && action.role === 'worker';
      guest.introduce(helloOf(action.mine ? session : 'another', action.token, { role: action.role }), isRight);
      break;
    }
    case 'say':
      guest.say(action.message);
      break;
    case 'bytes':
      guest.send(Buffer.from(action.bytes));
      break;
    case 'replay':
      guest.replay();
      break;
    case 'leave':
      guest.leave();
      break;
  }
}

test(
  'only a worker that introduced itself is heard, and whoever comes, the next good one gets in',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 60 }), async (script) => {
        const session = uniqueSession();
        const heard: WorkerReport[] = [];
        let hellos = 0;
        const server = new ChannelServer({
          session,
          token: TOKEN,
          onHello: () => {
            hellos += 1;
          },
          onMessage: (report) => heard.push(report),
          onDisconnected: () => undefined,
          onProblem: (problem) => expect(problem).not.toBe(''),
        });
        await server.listen();
        const guests = Array.from({ length: 4 }, () => new Guest());
        try {
          for (const { who, action: next } of script) {
            const guest = guests[who];
            if (guest !== undefined) act(guest, next, server.path, session);
            if (who === 0) await new Promise((resolve) => setImmediate(resolve));
          }
          const last = new Guest();
          guests.push(last);
          last.connect(server.path);
          const before = hellos;
          last.introduce(helloOf(session, TOKEN), true);
          await waitFor('the good worker', () => hellos > before);
          last.say({ v: 1, type: 'notice', level: 'info', message: 'the last word' });
          await waitFor('its word', () => JSON.stringify(heard.at(-1))?.includes('the last word') === true);
          const said = new Set(guests.flatMap((guest) => guest.said).map((text) => JSON.stringify(JSON.parse(text))));
          for (const report of heard) expect(said).toContain(JSON.stringify(report));
        } finally {
          for (const guest of guests) guest.leave();
          await server.close();
        }
      }),
      fuzzing(1_000),
    );
  },
  fuzzingTimeoutMs(300),
);
