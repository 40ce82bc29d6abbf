/** Intervals that follow one another, told by when each begins. */

/** The interval that a moment lies in: the last that has begun by then, or the first. */
export function intervalAt(begins: ArrayLike<number>, moment: number): number {
  let [low, high] = [0, begins.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (begins[middle] <= moment) low = middle;
    else high = middle;
  }
  return low;
}
