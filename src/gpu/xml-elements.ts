/**
 * Reads the XML that nvidia-smi prints: elements, text, attributes, the five entities of XML and numbers. What else XML can have
 * (sections, entities of its own, instructions within) it does not print, and a text that has it is refused as a whole.
 */

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Its own text, without that of the elements in it. */
  readonly text: string;
  readonly children: readonly XmlElement[];
}

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  text: string;
  readonly children: XmlElement[];
}

const TOKEN =
  /<\?[^>]*\?>|<!DOCTYPE[^>[]*>|<!--[\s\S]*?-->|<\/([A-Za-z_][\w.-]*)\s*>|<([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
/** nvidia-smi nests six deep. */
const DEEPEST = 32;

/** The root; null: the text is none of these, or it ends before the root does. */
export function readXml(text: string): XmlElement | null {
  const token = new RegExp(TOKEN);
  const open: Open[] = [];
  let root: XmlElement | null = null;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const [, closes, opens, attributes = '', empty, words] = match;
    if (words !== undefined) {
      const top = open.at(-1);
      if (top === undefined && words.trim() !== '') return null;
      if (top !== undefined) top.text += words;
    } else if (opens !== undefined) {
      if (root !== null || open.length >= DEEPEST) return null;
      open.push({ name: opens, attributes: readAttributes(attributes), text: '', children: [] });
      if (empty === '/') root = closeTop(open);
    } else if (closes !== undefined) {
      if (open.at(-1)?.name !== closes) return null;
      root = closeTop(open);
    }
    if (token.lastIndex === text.length) return root;
  }
  return null;
}

/** The root, once it is closed. */
function closeTop(open: Open[]): XmlElement | null {
  const top = open.pop();
  if (top === undefined) return null;
  const element: XmlElement = { ...top, text: decode(top.text).trim() };
  const parent = open.at(-1);
  if (parent === undefined) return element;
  parent.children.push(element);
  return null;
}

function readAttributes(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, decode(value)]),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w+));/g, (whole, decimal, hex, name: string) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((each) => each.name === name);
}

export function all(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((each) => each.name === name) ?? [];
}
