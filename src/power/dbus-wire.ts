/**
 * Messages of D-Bus as bytes: as much of the protocol as it takes to call the bus itself and to hear signals. Pure.
 * Source: D-Bus Specification, "Message Protocol" and "Type system".
 */

/** Field codes of a header. */
const FIELD = { path: 1, interface: 2, member: 3, replySerial: 5, destination: 6, signature: 8 } as const;
const TYPE = { call: 1, reply: 2, error: 3, signal: 4 } as const;
const FIXED_BYTES = 16;
/** Nothing that we ask for comes near it; the protocol itself allows 128 MiB. */
const MAX_BYTES = 1 << 20;

export interface BusCall {
  readonly serial: number;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly destination: string;
  /** One string, or nothing. */
  readonly argument: string | null;
}

export interface BusMessage {
  readonly kind: 'reply' | 'error' | 'signal' | 'other';
  /** Of the call that it answers; null: it answers none. */
  readonly replySerial: number | null;
  readonly interface: string | null;
  readonly member: string | null;
  /** Its first argument where that is a truth value; null: something else, or nothing. */
  readonly truth: boolean | null;
}

export function encodeCall(call: BusCall): Buffer {
  const body = call.argument === null ? Buffer.alloc(0) : stringBytes(call.argument);
  const fields = [
    field(FIELD.path, 'o', stringBytes(call.path)),
    field(FIELD.destination, 's', stringBytes(call.destination)),
    field(FIELD.interface, 's', stringBytes(call.interface)),
    field(FIELD.member, 's', stringBytes(call.member)),
    ...(call.argument === null ? [] : [field(FIELD.signature, 'g', signatureBytes('s'))]),
  ];
  // Each field begins at a multiple of eight, and the header before them is sixteen long.
  const table = fields.reduce((before, one) => Buffer.concat([padded(before), one]), Buffer.alloc(0));
  const head = Buffer.alloc(FIXED_BYTES);
  head.write('l', 0, 'latin1');
  head[1] = TYPE.call;
  head[3] = 1;
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(call.serial, 8);
  head.writeUInt32LE(table.length, 12);
  return Buffer.concat([head, padded(table), body]);
}

/**
 * The first message in these bytes and what follows it; null: it has not come whole yet.
 * @throws RangeError where it is none
 */
export function takeMessage(
  bytes: Buffer,
): { readonly message: BusMessage; readonly rest: Buffer<ArrayBufferLike> } | null {
  if (bytes.length < FIXED_BYTES) return null;
  const isLittle = bytes[0] === 0x6c;
  if ((!isLittle && bytes[0] !== 0x42) || bytes[3] !== 1) throw new RangeError('not a message of D-Bus');
  const number = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const tableEnd = FIXED_BYTES + number(12);
  const bodyAt = aligned(tableEnd, 8);
  const end = bodyAt + number(4);
  if (end > MAX_BYTES) throw new RangeError(`a message of ${end} bytes`);
  if (bytes.length < end) return null;
  const fields = readFields(bytes, tableEnd, number);
  const text = (code: number): string | null => {
    const value = fields.get(code);
    return typeof value === 'string' ? value : null;
  };
  const serial = fields.get(FIELD.replySerial);
  const isTruth = text(FIELD.signature)?.startsWith('b') === true && end - bodyAt >= 4;
  return {
    message: {
      kind: kindOf(bytes[1]),
      replySerial: typeof serial === 'number' ? serial : null,
      interface: text(FIELD.interface),
      member: text(FIELD.member),
      truth: isTruth ? number(bodyAt) !== 0 : null,
    },
    rest: bytes.subarray(end),
  };
}

function kindOf(type: number | undefined): BusMessage['kind'] {
  if (type === TYPE.reply) return 'reply';
  if (type === TYPE.error) return 'error';
  return type === TYPE.signal ? 'signal' : 'other';
}

/** Header fields are variants of strings, object paths, signatures and numbers. @throws RangeError for any other */
function readFields(bytes: Buffer, end: number, number: (at: number) => number): ReadonlyMap<number, string | number> {
  const fields = new Map<number, string | number>();
  let at = FIXED_BYTES;
  while (at < end) {
    at = aligned(at, 8);
    const code = bytes[at] ?? 0;
    const signature = bytes.toString('latin1', at + 2, at + 2 + (bytes[at + 1] ?? 0));
    at += 3 + signature.length;
    if (signature === 'g') {
      const length = bytes[at] ?? 0;
      fields.set(code, bytes.toString('utf8', at + 1, at + 1 + length));
      at += length + 2;
      continue;
    }
    if (!['s', 'o', 'u'].includes(signature)) throw new RangeError(`a header field of type ${signature}`);
    at = aligned(at, 4);
    const value = number(at);
    at += 4;
    if (signature === 'u') {
      fields.set(code, value);
      continue;
    }
    fields.set(code, bytes.toString('utf8', at, at + value));
    at += value + 1;
  }
  return fields;
}

function field(code: number, signature: string, value: Buffer): Buffer {
  const head = Buffer.concat([Buffer.of(code), signatureBytes(signature)]);
  // Strings begin with a number, which stands at a multiple of four; the head here is four long.
  return Buffer.concat([head, value]);
}

function stringBytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes, Buffer.of(0)]);
}

function signatureBytes(text: string): Buffer {
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text, 'latin1'), Buffer.of(0)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length, 8) - bytes.length)]);
}

function aligned(at: number, to: number): number {
  return Math.ceil(at / to) * to;
}
