/** Filters and order under a name, in this browser: chosen, replaced and deleted in one menu. */

import { useMemo } from "react";
import { readAddress, writeAddress } from "../../model/address";
import { readViews, withView } from "../../model/savedViews";
import { oneLine, visible } from "../../model/visible";
import { Menu } from "../../ui/controls";
import { setPreference, usePreference } from "../../ui/preferences";
import { readSessionsSearch, type SessionsSearch } from "./search";

export function SavedViews({ search, onChoose }: { search: SessionsSearch; onChoose: (search: SessionsSearch) => void }) {
  const text = usePreference("views");
  const views = useMemo(() => readViews(text), [text]);
  const here = writeAddress({ ...search });
  const current = views.find((view) => view.search === here);
  const keep = (next: typeof views) => setPreference("views", JSON.stringify(next));
  return (
    <Menu
      align="right"
      name="Saved views"
      label={
        <>
          {current ? oneLine(current.name, 24) : "Views"} <span aria-hidden="true">▾</span>
        </>
      }
    >
      {(close) => (
        <div className="facets">
          <div className="facet-list">
            {views.map((view) => (
              <span key={view.name} className="saved-view">
                <button
                  type="button"
                  className="option"
                  aria-pressed={view === current}
                  onClick={() => {
                    onChoose(readSessionsSearch(readAddress(view.search.replace(/^\?/, ""))));
                    close();
                  }}
                >
                  {oneLine(view.name, 48)}
                </button>
                <button
                  type="button"
                  className="icon"
                  aria-label={`Delete the view ${visible(view.name)}`}
                  title="Delete"
                  onClick={() => keep(views.filter((one) => one !== view))}
                >
                  ×
                </button>
              </span>
            ))}
            {views.length === 0 && <p className="faint">Filters and order of this page can be kept under a name.</p>}
          </div>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              const name = String(new FormData(event.currentTarget).get("view") ?? "").trim();
              if (!name) return;
              keep(withView(views, { name, search: here }));
              close();
            }}
          >
            <input name="view" aria-label="Name of the view" placeholder="Save this view as…" maxLength={80} autoComplete="off" />
          </form>
        </div>
      )}
    </Menu>
  );
}
