/** What a look at one thing came to. Between `raise` and `clear` lies a gap, so that nothing flickers. */
export type Verdict =
  /** To be told, unless it was told and has not ended: the likely cause in the message, the cure in the hint. */
  | { readonly kind: 'raise'; readonly message: string; readonly hint: string }
  /** Over; told where it had been raised. */
  | { readonly kind: 'clear'; readonly message: string }
  /** Neither: as it was. */
  | { readonly kind: 'keep' };

export const KEEP: Verdict = { kind: 'keep' };

export function raise(message: string, hint: string): Verdict {
  return { kind: 'raise', message, hint };
}

export function clear(message: string): Verdict {
  return { kind: 'clear', message };
}
