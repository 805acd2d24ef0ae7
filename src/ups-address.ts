/** How a UPS is named: `NAME@HOST[:PORT]` of the NUT server that knows it. */

export interface UpsAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

const UPSD_PORT = 3493;
/** `NAME@HOST[:PORT]`, an IPv6 address in brackets; null: it is none. */
export function parseUps(text: string): UpsAddress | null {
  const match = /^([\w.-]+)@(\[[0-9a-f:]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text);
  const [, name, host, digits] = match ?? [];
  if (name === undefined || host === undefined) return null;
  const port = digits === undefined ? UPSD_PORT : Number(digits);
  if (port < 1 || port > 65_535) return null;
  return { name, host: host.replace(/^\[|\]$/g, ''), port };
}

export function formatUps({ name, host, port }: UpsAddress): string {
  const place = host.includes(':') ? `[${host}]` : host;
  return `${name}@${place}${port === UPSD_PORT ? '' : `:${port}`}`;
}
