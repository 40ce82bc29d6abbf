/** The views of a session, to choose one of: a stop of Tab together, in which the arrows lead from one to the next. */

import { Link } from "@tanstack/react-router";
import type { KeyboardEvent } from "react";
import type { SessionDetail } from "../../api/types";
import { grouped } from "../../model/format";
import { stepped } from "../../ui/controls";
import { type SessionSearch, type View, VIEW_NAMES, VIEWS } from "./search";

/** What the view that is shown is called by: its tab. */
export const tabId = (view: View) => `tab-${view}`;

export function Tabs({ view, session }: { view: View; session: SessionDetail | undefined }) {
  const step = (event: KeyboardEvent<HTMLDivElement>) => {
    const ends: Partial<Record<string, number>> = { Home: 0, End: VIEWS.length - 1 };
    const end = ends[event.key];
    if (end !== undefined) event.preventDefault();
    const to = end ?? stepped(event, VIEWS.indexOf(view), VIEWS.length);
    if (to === null) return;
    const tab = event.currentTarget.querySelectorAll("a")[to];
    tab.focus();
    tab.click();
  };
  return (
    // The keys are those of the tabs inside, of which one has the focus.
    // oxlint-disable-next-line jsx-a11y/interactive-supports-focus
    <div className={session ? "tabs" : "tabs unknown"} role="tablist" aria-label="Views of the session" onKeyDown={step}>
      {VIEWS.map((name) => (
        <Link
          key={name}
          id={tabId(name)}
          from="/sessions/$sessionId"
          to="/sessions/$sessionId"
          search={(old: SessionSearch) => ({ ...old, view: name === "timeline" ? undefined : name })}
          role="tab"
          aria-selected={name === view}
          tabIndex={name === view ? undefined : -1}
          className={name === view ? "tab on" : "tab"}
        >
          {VIEW_NAMES[name]}
          {name === "logs" && (session?.event_counts.error ?? 0) > 0 && <span className="badge">{grouped(session?.event_counts.error)}</span>}
        </Link>
      ))}
    </div>
  );
}
