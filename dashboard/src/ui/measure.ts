/** How wide a text is in the page's own font, without asking the page to lay anything out. */

const widths = new Map<string, number>();
let context: CanvasRenderingContext2D | null | undefined;

/** Pixels, in the interface's font at a size such as `11px`. */
export function textWidth(text: string, size: string): number {
  const key = `${size} ${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  context ??= document.createElement("canvas").getContext("2d");
  if (!context) return text.length * 7;
  context.font = `${size} "Inter Variable", system-ui, sans-serif`;
  const { width } = context.measureText(text);
  // A font that is still on its way measures as another: that is not remembered.
  if (document.fonts.status === "loaded") {
    if (widths.size > 20_000) widths.clear();
    widths.set(key, width);
  }
  return width;
}
