/** Level 2 over the tensors' file as it streams by: its header against the manifest, every tensor's digest and values. */
import { StreamingDigest } from './digest.ts';
import { FiniteScan } from './finite-scan.ts';
import { damage, dataStart } from './inspect.ts';
import { TENSORS_FILE } from './manifest.ts';
import { headerLength, LENGTH_BYTES, type PlacedTensor, parseHeader } from './safetensors-header.ts';
import type { Damage, DamageAspect, Manifest } from './types.ts';

/** What contradicts the manifest in a header: null when they say the same. */
export function headerProblem(json: Uint8Array, manifest: Manifest): string | null {
  const dataBytes = (manifest.files[TENSORS_FILE]?.bytes ?? 0) - dataStart(manifest);
  const parsed = parseHeader(json, dataBytes);
  if (!parsed.ok) return parsed.problem;
  const inHeader = new Map(parsed.tensors.map((tensor) => [tensor.name, tensor]));
  for (const tensor of manifest.tensors) {
    const found = inHeader.get(tensor.name);
    if (found === undefined) return `the header lacks tensor "${tensor.name}"`;
    if (!samePlace(found, tensor)) return `the header describes tensor "${tensor.name}" unlike the manifest`;
    inHeader.delete(tensor.name);
  }
  const [extra] = inHeader.keys();
  return extra === undefined ? null : `the header has tensor "${extra}", which the manifest lacks`;
}

export class TensorContents {
  readonly #manifest: Manifest;
  readonly #headerBytes: number;
  readonly #header: Uint8Array[] = [];
  readonly #digest = new StreamingDigest();
  readonly #damages: Damage[] = [];
  #position = 0;
  #tensor = 0;
  #taken = 0;
  #scan: FiniteScan | null = null;
  /** Set when header and manifest contradict one another: then the tensors cannot be told apart. */
  #stopped = false;

  constructor(manifest: Manifest) {
    this.#manifest = manifest;
    this.#headerBytes = dataStart(manifest);
  }

  get damages(): readonly Damage[] {
    return this.#damages;
  }

  /** The next bytes of the file. */
  push(bytes: Uint8Array): void {
    if (this.#stopped) return;
    const inHeader = Math.max(0, Math.min(bytes.length, this.#headerBytes - this.#position));
    if (inHeader > 0) this.#pushHeader(bytes.subarray(0, inHeader));
    this.#position += bytes.length;
    if (!this.#stopped) this.#pushData(bytes.subarray(inHeader));
  }

  #pushHeader(bytes: Uint8Array): void {
    const claim = this.#position === 0 ? this.#claimProblem(bytes) : null;
    if (claim !== null) {
      this.#stop(claim);
      return;
    }
    // The claim was checked above, so that this holds 100 MB at most.
    this.#header.push(bytes.slice());
    if (this.#position + bytes.length < this.#headerBytes) return;
    const problem = headerProblem(Buffer.concat(this.#header).subarray(LENGTH_BYTES), this.#manifest);
    this.#header.length = 0;
    if (problem !== null) this.#stop(problem);
  }

  #claimProblem(first: Uint8Array): string | null {
    const claimed = headerLength(first, this.#manifest.files[TENSORS_FILE]?.bytes ?? 0);
    if (typeof claimed === 'string') return claimed;
    const left = this.#headerBytes - LENGTH_BYTES;
    return claimed === left ? null : `the header claims ${claimed} bytes, the manifest leaves ${left} for it`;
  }

  #pushData(bytes: Uint8Array): void {
    this.#closeFull();
    for (let at = 0; at < bytes.length; ) {
      const tensor = this.#manifest.tensors[this.#tensor];
      if (tensor === undefined) return;
      this.#scan ??= new FiniteScan(tensor.mayBeNonFinite ? 'U8' : tensor.dtype);
      const part = bytes.subarray(at, at + tensor.bytes - this.#taken);
      this.#digest.update(part);
      this.#scan.push(part);
      this.#taken += part.length;
      at += part.length;
      this.#closeFull();
    }
  }

  #closeFull(): void {
    for (;;) {
      const tensor = this.#manifest.tensors[this.#tensor];
      if (tensor === undefined || tensor.bytes !== this.#taken) return;
      if (this.#digest.digest() !== tensor.digest) this.#report('does not match its digest', tensor.name, null);
      else if (this.#scan?.found) this.#report('holds values that are NaN or infinite', tensor.name, 'values');
      this.#digest.reset();
      this.#scan = null;
      this.#taken = 0;
      this.#tensor++;
    }
  }

  #report(what: string, name: string, aspect: DamageAspect | null): void {
    this.#damages.push(damage(TENSORS_FILE, `tensor "${name}" ${what}`, null, [name], aspect));
  }

  #stop(reason: string): void {
    this.#stopped = true;
    this.#damages.push(damage(TENSORS_FILE, reason, 0, [], 'structure'));
  }
}

function samePlace(a: PlacedTensor, b: PlacedTensor): boolean {
  return (
    a.dtype === b.dtype &&
    a.offset === b.offset &&
    a.bytes === b.bytes &&
    a.shape.length === b.shape.length &&
    a.shape.every((size, index) => size === b.shape[index])
  );
}
