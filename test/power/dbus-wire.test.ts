import { expect, test } from 'vitest';
import { encodeCall, takeMessage } from '../../src/power/dbus-wire.ts';
import { busPath } from '../../src/power/system-bus.ts';

const BUS = 'org.freedesktop.DBus';

/** What a real dbus-daemon sent: its answer to Hello, and PrepareForSleep (true). */
const ANSWER = Buffer.from(
  '6c02010109000000010000003d00000006017300040000003a312e30000000000501750001000000080167000173000007017300140000006f72672e667265656465736b746f702e4442757300000000040000003a312e3000',
  'hex',
);
const SIGNAL = Buffer.from(
  '6c04010104000000030000007500000001016f00170000002f6f72672f667265656465736b746f702f6c6f67696e3100020173001e0000006f72672e667265656465736b746f702e6c6f67696e312e4d616e616765720000030173000f00000050726570617265466f72536c65657000080167000162000007017300040000003a312e300000000001000000',
  'hex',
);
/** The signal Gone (true) of a machine that counts from the other end. */
const BIG_ENDIAN = Buffer.from(
  '4204010100000004000000090000003701016f00000000022f6f0000000000000201730000000003612e6200000000000301730000000004476f6e6500000000080167000162000000000001',
  'hex',
);

test('a call is the bytes that a real bus has answered', () => {
  const call = { path: '/org/freedesktop/DBus', interface: BUS, destination: BUS };
  expect(encodeCall({ ...call, serial: 1, member: 'Hello', argument: null }).toString('hex')).toBe(
    '6c01000100000000010000006e00000001016f00150000002f6f72672f667265656465736b746f702f4442757300000006017300140000006f72672e667265656465736b746f702e444275730000000002017300140000006f72672e667265656465736b746f702e4442757300000000030173000500000048656c6c6f000000',
  );
  const rule = "type='signal',member='PrepareForSleep'";
  const match = encodeCall({ ...call, serial: 2, member: 'AddMatch', argument: rule });
  expect(match.toString('hex').endsWith(`26000000${Buffer.from(rule).toString('hex')}00`)).toBe(true);
  expect(match.readUInt32LE(4)).toBe(4 + rule.length + 1);
});

test('messages come in pieces and behind one another', () => {
  for (let end = 0; end < ANSWER.length; end++) expect(takeMessage(ANSWER.subarray(0, end))).toBeNull();
  const first = takeMessage(Buffer.concat([ANSWER, SIGNAL]));
  expect(first?.message).toEqual({ kind: 'reply', replySerial: 1, interface: null, member: null, truth: null });
  expect(takeMessage(first?.rest ?? Buffer.alloc(0))).toEqual({
    message: {
      kind: 'signal',
      replySerial: null,
      interface: 'org.freedesktop.login1.Manager',
      member: 'PrepareForSleep',
      truth: true,
    },
    rest: Buffer.alloc(0),
  });
  expect(takeMessage(BIG_ENDIAN)?.message).toMatchObject({ interface: 'a.b', member: 'Gone', truth: true });
});

test('what is no message is refused, and one that is too long is not waited for', () => {
  expect(() => takeMessage(Buffer.from('HTTP/1.1 400 Bad Request'))).toThrow(RangeError);
  const long = Buffer.from(SIGNAL);
  long.writeUInt32LE(1 << 30, 4);
  expect(() => takeMessage(long)).toThrow(RangeError);
  // Whatever bytes come, it ends: a message, none yet, or a refusal.
  for (let at = 0; at < SIGNAL.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const bytes = Buffer.from(SIGNAL);
      bytes[at] = value;
      try {
        takeMessage(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
  }
});

test.each([
  [undefined, '/run/dbus/system_bus_socket'],
  ['', '/run/dbus/system_bus_socket'],
  ['unix:path=/a%20b/bus,guid=1f', '/a b/bus'],
  ['tcp:host=far,port=1;unix:guid=1,path=/bus', '/bus'],
  ['unix:abstract=/hidden', null],
  ['unix:path=/100%', null],
])('the bus at %j has its socket at %j', (address, path) => {
  expect(busPath(address)).toBe(path);
});
