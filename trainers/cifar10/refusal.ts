/** What cannot be trained as it is set up: words for a person, not a stack. */
export class Refusal extends Error {
  /** What to do, as a sentence. */
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}
