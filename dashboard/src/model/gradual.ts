/**
 * Which rows of a list are drawn whole. Of a list that is new those are that can be seen, and those beyond the edges
 * follow. Of one that is scrolled a few that come on view are; where the reader flies past a screenful at a time,
 * newcomers show their names alone, and are completed a few at a time once fewer come.
 */

/** So many rows can be drawn whole within a frame. */
export const AT_ONCE = 4;

export class Gradual {
  private onView: ReadonlySet<string> = new Set();
  private whole: ReadonlySet<string> = new Set();
  /** Whether the last look found more newcomers than can be drawn. */
  isFast = false;

  /** The rows to draw whole of those on view now, of which `seen` are within the edges. Asked again, a few more are. */
  next(ids: readonly string[], isScrolling: boolean, seen: readonly string[] = ids): ReadonlySet<string> {
    const isAllWhole = !isScrolling && !ids.some((id) => this.onView.has(id) && !this.whole.has(id));
    this.isFast = !isAllWhole && ids.filter((id) => !this.onView.has(id)).length > AT_ONCE;
    const left = ids.filter((id) => !this.whole.has(id));
    const added = new Set(isAllWhole ? seen : this.isFast ? [] : left.slice(0, AT_ONCE));
    this.onView = new Set(ids);
    this.whole = new Set(ids.filter((id) => this.whole.has(id) || added.has(id)));
    return this.whole;
  }
}
