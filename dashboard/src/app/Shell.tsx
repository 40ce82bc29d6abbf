/** What stands around every page: navigation, the keys that work everywhere, and what to say when a page fails. */

import { useIsFetching, useQuery } from "@tanstack/react-query";
import { type ErrorComponentProps, Link, Outlet, useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { live } from "../api/live";
import { runningQuery } from "../api/queries";
import { grouped } from "../model/format";
import { Pace } from "../model/pace";
import { Brand } from "../ui/Brand";
import { useLiveState } from "../ui/hooks";
import { KeyList } from "../ui/KeyList";
import { holdKeys, releaseKeys, useKeys } from "../ui/keys";
import { toggleTheme, toggleZone, usePreference, useShownTheme } from "../ui/preferences";
import { AccountFoot } from "../views/signin/AccountFoot";

const PAGES = [
  ["/sessions", "Sessions", "M2 4h12M2 8h12M2 12h8"],
  ["/analytics", "Analytics", "M2.5 13.5h11M4.5 11V8M8 11V4M11.5 11V6"],
  ["/compare", "Compare", "M5.5 3v10M10.5 3v10M2.5 5.5h3M2.5 10.5h3M10.5 5.5h3M10.5 10.5h3"],
  ["/settings", "Settings", "M2 5h7M12.5 5H14M2 11h1.5M7 11h7M9 3v4M3.5 9v4M7 9v4M12.5 3v4"],
] as const;

const FIRST_REST_MS = 1_000;

export function Shell() {
  const navigate = useNavigate();
  const [isHelp, setHelp] = useState(false);
  useKeysOfNextPage();
  useKeys("Everywhere", [
    { keys: "g s", does: "Sessions", run: () => void navigate({ to: "/sessions" }) },
    { keys: "g a", does: "Analytics", run: () => void navigate({ to: "/analytics" }) },
    { keys: "g c", does: "Compare", run: () => void navigate({ to: "/compare" }) },
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
        <Waiting />
        <Outlet />
      </main>
      {isHelp && <KeyList onClose={() => setHelp(false)} />}
    </div>
  );
}

/** `g a /` searches Analytics however long its page takes to come. */
function useKeysOfNextPage() {
  const router = useRouter();
  useEffect(() => {
    const stops = [
      router.subscribe("onBeforeNavigate", ({ pathChanged }) => pathChanged && holdKeys()),
      router.subscribe("onResolved", () => setTimeout(releaseKeys)),
    ];
    return () => stops.forEach((stop) => stop());
  }, [router]);
}

/** A line at the top while something is awaited for the first time, and not at once. */
function Waiting() {
  const count = useIsFetching({ predicate: (query) => query.state.status === "pending" && query.queryKey[0] !== runningQuery.queryKey[0] });
  return count > 0 ? <div className="awaited" role="progressbar" aria-label="Loading" /> : null;
}

function Navigation({ onHelp }: { onHelp: () => void }) {
  const theme = useShownTheme();
  const zone = usePreference("zone");
  const connection = useLiveState();
  return (
    <nav aria-label="Pages">
      <Link to="/sessions" className="brand" aria-label="AgentOps, all sessions">
        <Brand />
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
        <span className="said">{connection === "lost" ? <span className="bad">server unreachable</span> : <Recording />}</span>
        <AccountFoot />
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

/** How many sessions are being recorded, leading to them. */
function Recording() {
  const { data: running, refetch } = useQuery({ ...runningQuery, enabled: false });
  useEffect(() => {
    const pace = new Pace(() => refetch(), 3_000);
    let stop: (() => void) | undefined;
    // What the page is about comes first.
    const start = setTimeout(() => {
      stop = live.subscribe(() => pace.ask());
      pace.ask();
    }, FIRST_REST_MS);
    return () => {
      clearTimeout(start);
      stop?.();
      pace.stop();
    };
  }, [refetch]);
  return running ? (
    <Link to="/sessions" search={{ state: ["running"] }}>
      {grouped(running)} recording now
    </Link>
  ) : null;
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

/** How browsers and the loader say that a part of the page's code did not arrive. */
const NO_CODE = /unable to preload|dynamically imported module|importing a module/i;

export function Stumbled({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const isCode = error instanceof Error && NO_CODE.test(error.message);
  useEffect(() => {
    // The server was away: the page loads anew when it is back. It may be another version by then.
    if (isCode && live.state === "lost") return live.subscribe((changed) => changed === null && location.reload());
  }, [isCode]);
  if (isCode) {
    return (
      <div className="empty" role="alert">
        <h1>This page did not arrive</h1>
        <p className="dim">The server does not answer, or another version of it runs now. Is agentops serve still running?</p>
        <button type="button" className="btn" onClick={() => location.reload()}>
          Try again
        </button>
      </div>
    );
  }
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
