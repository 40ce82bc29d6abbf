/** The one page of a file, its state behind the `#` of the address, and the frame around it. */

import { createHashHistory, createRootRoute, createRoute, createRouter, Outlet } from "@tanstack/react-router";
import { useState } from "react";
import { readAddress, strictly, writeAddress } from "../model/address";
import { Brand } from "../ui/Brand";
import { KeyList } from "../ui/KeyList";
import { useKeys } from "../ui/keys";
import { toggleTheme, toggleZone, usePreference, useShownTheme } from "../ui/preferences";
import { readSessionSearch } from "../views/session/search";
import { SessionPage } from "../views/session/SessionPage";

function Frame() {
  const theme = useShownTheme();
  const zone = usePreference("zone");
  const [isHelp, setHelp] = useState(false);
  useKeys("Everywhere", [
    { keys: "t", does: "Light or dark", run: toggleTheme },
    { keys: "u", does: "Local time or UTC", run: toggleZone },
    { keys: "?", does: "The keys", run: () => setHelp(true) },
  ]);
  return (
    <div className="app file">
      <header className="file-bar">
        <Brand />
        AgentOps <span className="faint">· a saved session: nothing here is loaded from anywhere</span>
        <span className="grow" />
        <button type="button" onClick={toggleZone} title="Local time or UTC (u)">
          {zone === "utc" ? "UTC" : "local time"}
        </button>
        <button type="button" onClick={toggleTheme} title="Light or dark (t)" aria-label={`Theme: ${theme}`}>
          {theme}
        </button>
        <button type="button" onClick={() => setHelp(true)} title="Keys (?)">
          keys <kbd>?</kbd>
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      {isHelp && <KeyList onClose={() => setHelp(false)} />}
    </div>
  );
}

/** A router whose only session is the file's. */
export function routerFor(sessionId: string) {
  const history = createHashHistory();
  const root = createRootRoute({ component: Frame });
  const session = createRoute({
    getParentRoute: () => root,
    path: "/sessions/$sessionId",
    validateSearch: strictly(readSessionSearch),
    component: SessionPage,
  });
  const home = `/sessions/${encodeURIComponent(sessionId)}`;
  if (!history.location.pathname.startsWith(home)) history.replace(home);
  return createRouter({
    routeTree: root.addChildren([session]),
    history,
    parseSearch: (text) => readAddress(text.startsWith("?") ? text.slice(1) : text),
    stringifySearch: writeAddress,
    scrollRestoration: false,
  });
}
