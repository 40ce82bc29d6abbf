/** How many of a row of things fit whole into a width, room for a "+3" after them included; one is always shown. */
export function fitting(widths: readonly number[], width: number, gap: number, more: number): number {
  let used = 0;
  for (let count = 0; count < widths.length; count++) {
    used += widths[count] + (count > 0 ? gap : 0);
    const rest = count + 1 < widths.length ? gap + more : 0;
    if (used + rest > width) return Math.max(1, count);
  }
  return widths.length;
}
