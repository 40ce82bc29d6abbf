/** The pages there are, and what their addresses hold. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { readAddress, strictly, writeAddress } from "../model/address";
import { readAnalyticsSearch } from "../views/analytics/search";
import { readCompareSearch } from "../views/compare/search";
import { readSessionSearch } from "../views/session/search";
import { SessionPage } from "../views/session/SessionPage";
import { readSessionsSearch } from "../views/sessions/search";
import { SessionsPage } from "../views/sessions/SessionsPage";
import { SettingsPage } from "../views/settings/SettingsPage";
import { Entrance } from "./Entrance";
import { NotFound, Stumbled } from "./Shell";

const root = createRootRoute({ component: Entrance, notFoundComponent: NotFound });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/sessions", replace: true });
  },
});

const sessions = createRoute({
  getParentRoute: () => root,
  path: "/sessions",
  validateSearch: strictly(readSessionsSearch),
  component: SessionsPage,
});

const session = createRoute({
  getParentRoute: () => root,
  path: "/sessions/$sessionId",
  validateSearch: strictly(readSessionSearch),
  component: SessionKeyed,
});

const analytics = createRoute({
  getParentRoute: () => root,
  path: "/analytics",
  validateSearch: strictly(readAnalyticsSearch),
  component: lazyRouteComponent(() => import("../views/analytics/AnalyticsPage"), "AnalyticsPage"),
});

const compare = createRoute({
  getParentRoute: () => root,
  path: "/compare",
  validateSearch: strictly(readCompareSearch),
  component: lazyRouteComponent(() => import("../views/compare/ComparePage"), "ComparePage"),
});

const settings = createRoute({ getParentRoute: () => root, path: "/settings", component: SettingsPage });

/** Links that older clients print. */
const drilldown = createRoute({
  getParentRoute: () => root,
  path: "/drilldown",
  validateSearch: (raw: Record<string, unknown>) => ({ session_id: String(raw.session_id ?? raw.trace_id ?? "") }),
  beforeLoad: ({ search }) => {
    if (search.session_id) throw redirect({ to: "/sessions/$sessionId", params: { sessionId: search.session_id }, replace: true });
    throw redirect({ to: "/sessions", replace: true });
  },
});

/** Another session is another page: nothing of the last one's folds and scroll may stay. */
function SessionKeyed() {
  const { sessionId } = session.useParams();
  return <SessionPage key={sessionId} />;
}

export const router = createRouter({
  routeTree: root.addChildren([home, sessions, session, analytics, compare, settings, drilldown]),
  parseSearch: (text) => readAddress(text.startsWith("?") ? text.slice(1) : text),
  stringifySearch: writeAddress,
  defaultErrorComponent: Stumbled,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
