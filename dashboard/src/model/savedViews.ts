/** Views of the session list that the reader named: a name and an address, kept as text. */

export interface SavedView {
  readonly name: string;
  /** The search part of the page's address. */
  readonly search: string;
}

/** Read with suspicion: what is not understood is left out. */
export function readViews(text: string): SavedView[] {
  try {
    const views: unknown = JSON.parse(text || "[]");
    if (!Array.isArray(views)) return [];
    return views.flatMap((view: Partial<SavedView> | null) =>
      typeof view?.name === "string" && typeof view.search === "string" ? [{ name: view.name, search: view.search }] : [],
    );
  } catch {
    return [];
  }
}

/** A view of the same name is replaced where it stands. */
export function withView(views: readonly SavedView[], view: SavedView): SavedView[] {
  const at = views.findIndex(({ name }) => name === view.name);
  return at < 0 ? [...views, view] : views.with(at, view);
}
