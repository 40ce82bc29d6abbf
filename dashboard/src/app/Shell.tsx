/** What stands around every page: navigation, the keys that work everywhere, and what to say when a page fails. */

import { type ErrorComponentProps, Link, Outlet, useNavigate, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { Dialog } from "../ui/controls";
import { useLiveState } from "../ui/hooks";
import { boundKeys, useKeys } from "../ui/keys";
import { preference, setPreference, shownTheme, usePreference, useShownTheme } from "../ui/preferences";

const PAGES = [
  ["/sessions", "Sessions", "M2 4h12M2 8h12M2 12h8"],
  ["/settings", "Settings", "M2 5h7M12.5 5H14M2 11h1.5M7 11h7M9 3v4M3.5 9v4M7 9v4M12.5 3v4"],
] as const;

export function Shell() {
  const navigate = useNavigate();
  const [isHelp, setHelp] = useState(false);
  useKeys("Everywhere", [
    { keys: "g s", does: "Sessions", run: () => void navigate({ to: "/sessions" }) },
    { keys: "g ,", does: "Settings", run: () => void navigate({ to: "/settings" }) },
    { keys: "t", does: "Light or dark", run: toggleTheme },
    { keys: "u", does: "Local time or UTC", run: toggleZone },
    { keys: "?", does: "The keys", run: () => setHelp(true) },
  ]);
  return (
    <div className="app">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Navigation onHelp={() => setHelp(true)} />
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      {isHelp && <Keys onClose={() => setHelp(false)} />}
    </div>
  );
}

function toggleTheme(): void {
  setPreference("theme", shownTheme() === "dark" ? "light" : "dark");
}

function toggleZone(): void {
  setPreference("zone", preference("zone") === "utc" ? "local" : "utc");
}

function Navigation({ onHelp }: { onHelp: () => void }) {
  const theme = useShownTheme();
  const zone = usePreference("zone");
  const live = useLiveState();
  return (
    <nav aria-label="Pages">
      <Link to="/sessions" className="brand" aria-label="AgentOps, all sessions">
        <svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
          <rect className="bar-llm" x="1" y="3" width="12" height="3.4" rx="1.7" />
          <rect className="bar-agent" x="5" y="8.3" width="10" height="3.4" rx="1.7" />
          <rect className="bar-tool" x="9" y="13.6" width="10" height="3.4" rx="1.7" />
        </svg>
        AgentOps
      </Link>
      {PAGES.map(([to, name, path]) => (
        <Link key={to} to={to} className="page" activeProps={{ className: "on", "aria-current": "page" }} activeOptions={{ includeSearch: false }}>
          <svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinecap="round" aria-hidden="true">
            <path d={path} />
          </svg>
          {name}
        </Link>
      ))}
      <span className="grow" />
      <div className="foot">
        {live === "lost" && <span className="bad">server unreachable</span>}
        <button type="button" onClick={toggleZone} title="Local time or UTC (u)">
          {zone === "utc" ? "UTC" : "local time"}
        </button>
        <button type="button" onClick={toggleTheme} title="Light or dark (t)" aria-label={`Theme: ${theme}`}>
          {theme}
        </button>
        <button type="button" onClick={onHelp} title="Keys (?)">
          keys <kbd>?</kbd>
        </button>
      </div>
    </nav>
  );
}

function Keys({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div className="keys">
        {boundKeys().map(({ name, bindings }) => {
          const told = bindings.filter((binding) => binding.does);
          return told.length === 0 ? null : (
            <section key={name}>
              <h3>{name}</h3>
              <dl>
                {told.map((binding) => (
                  <div key={binding.keys}>
                    <dt>
                      {binding.keys.split(" ").map((key) => (
                        <kbd key={key}>{key.replace("Arrow", "").replace("Escape", "Esc")}</kbd>
                      ))}
                    </dt>
                    <dd>{binding.does}</dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
        <section>
          <h3>Pointer, on the timeline</h3>
          <dl>
            <div>
              <dt>wheel</dt>
              <dd>Zoom (with Shift: scroll)</dd>
            </div>
            <div>
              <dt>drag</dt>
              <dd>Pan</dd>
            </div>
            <div>
              <dt>double click</dt>
              <dd>Fill the view with an event</dd>
            </div>
          </dl>
        </section>
      </div>
    </Dialog>
  );
}

export function NotFound() {
  return (
    <div className="empty">
      <h1>No such page</h1>
      <p className="dim">The address leads nowhere in this version.</p>
      <Link to="/sessions" className="btn">
        All sessions
      </Link>
    </div>
  );
}

export function Stumbled({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <div className="empty" role="alert">
      <h1>This page failed to show</h1>
      <p className="dim">{error instanceof Error ? error.message : String(error)}</p>
      <button
        type="button"
        className="btn"
        onClick={() => {
          reset();
          void router.invalidate();
        }}
      >
        Try again
      </button>
    </div>
  );
}
