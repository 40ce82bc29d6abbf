/** A canvas kept as sharp as the screen, and text measured once. */

/** Size a canvas for its box and the screen's density; returns a context in CSS pixels, cleared. */
export function sharpContext(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  const deviceWidth = Math.max(1, Math.round(width * ratio));
  const deviceHeight = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== deviceWidth || canvas.height !== deviceHeight) {
    canvas.width = deviceWidth;
    canvas.height = deviceHeight;
  }
  const context = canvas.getContext("2d");
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (context) {
    context.clearRect(0, 0, width, height);
    context.textRendering = "geometricPrecision";
  }
  return context;
}

const widths = new Map<string, number>();

/** The width of a text in the context's present font. */
export function textWidth(context: CanvasRenderingContext2D, text: string): number {
  const key = `${context.font}\n${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (widths.size > 20_000) widths.clear();
    width = context.measureText(text).width;
    widths.set(key, width);
  }
  return width;
}

/** Forget measured widths: fonts have arrived. */
export function forgetWidths(): void {
  widths.clear();
}
