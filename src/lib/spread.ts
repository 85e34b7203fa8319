/** Multiples of it, less their whole parts, never come close to each other. */
const GOLDEN_RATIO = 0.618_033_988_75;

/** Fractions in [0, 1), as many as are asked for, always evenly spread: what begins together shall not end together. */
export class Spread {
  #asked = 0;

  next(): number {
    this.#asked = (this.#asked + GOLDEN_RATIO) % 1;
    return this.#asked;
  }
}
