/** Everything that a drill must leave behind as it found it, undone in reverse order, once, whatever ended the drill. */

export class Cleanup {
  #undo: (() => Promise<void>)[] = [];
  #closed: Promise<void> | null = null;

  /**
   * To be called right after something was made. When the drill has ended meanwhile it is undone at once.
   * @throws Error when the drill has ended
   */
  async add(undo: () => Promise<void>): Promise<void> {
    if (this.#closed === null) {
      this.#undo.push(undo);
      return;
    }
    await undo();
    throw new DrillEnded();
  }

  /** @throws Error when the drill has ended: nothing new is to be begun */
  goOn(): void {
    if (this.#closed !== null) throw new DrillEnded();
  }

  /** Undoes all; what fails is handed to `onFailure`, and the rest is undone all the same. */
  close(onFailure: (error: unknown) => void): Promise<void> {
    this.#closed ??= this.#undoAll(onFailure);
    return this.#closed;
  }

  async #undoAll(onFailure: (error: unknown) => void): Promise<void> {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        onFailure(error);
      }
    }
  }
}

/** Thrown inside a drill that was interrupted; nobody is to see it. */
export class DrillEnded extends Error {
  constructor() {
    super('the drill has ended');
  }
}
