/** How this browser shows things, and how a program connects to this server. */

import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { meQuery } from "../../api/account";
import { healthQuery } from "../../api/queries";
import { plural } from "../../model/format";
import { Choice, Failure } from "../../ui/controls";
import { useTitle } from "../../ui/hooks";
import { setPreference, usePreference } from "../../ui/preferences";
import { Snippets } from "../../ui/Snippets";
import { Keys } from "./Keys";
import { Prices, pricesQuery, Store, storeQuery } from "./Store";

export function SettingsPage() {
  const theme = usePreference("theme");
  const zone = usePreference("zone");
  const wheel = usePreference("wheel");
  const { data: me } = useQuery(meQuery);
  const { data: health, error, refetch, isFetched: isAsked } = useQuery(healthQuery);
  const { data: store, isFetched: isMeasured } = useQuery(storeQuery);
  const { data: prices, isFetched: isPriced } = useQuery(pricesQuery);
  // What stands below each other comes at once: nothing is pushed down.
  const isTold = isAsked && isMeasured && isPriced;
  useTitle("Settings");
  return (
    <>
      <header className="top">
        <h1>Settings</h1>
      </header>
      <div className="settings">
        <section>
          <h2>This browser</h2>
          <Setting name="Theme">
            <Choice
              label="Theme"
              value={theme}
              options={[
                ["system", "As the system"],
                ["light", "Light"],
                ["dark", "Dark"],
              ]}
              onChange={(value) => setPreference("theme", value)}
            />
          </Setting>
          <Setting name="Times">
            <Choice
              label="Times"
              value={zone}
              options={[
                ["local", "Local"],
                ["utc", "UTC"],
              ]}
              onChange={(value) => setPreference("zone", value)}
            />
          </Setting>
          <Setting name="Wheel on the timeline">
            <Choice
              label="Wheel on the timeline"
              value={wheel}
              options={[
                ["zoom", "Zooms"],
                ["scroll", "Scrolls (Ctrl zooms)"],
              ]}
              onChange={(value) => setPreference("wheel", value)}
            />
          </Setting>
        </section>
        <section>
          <h2>Connect a program</h2>
          <p className="dim">The SDK records agents, tools and calls to models. Any OpenTelemetry program can send its spans as well.</p>
          <Snippets needsKey={me?.auth ?? false} />
        </section>
        {isTold && (
          <>
            <Keys />
            <Store />
            <Prices />
          </>
        )}
        {isTold && error && !health && <Failure error={error} retry={() => void refetch()} />}
        {isTold && health && (
          <section>
            <h2>About</h2>
            <Setting name="Version">{health.version}</Setting>
            {store && (
              <>
                <Setting name="Engine">ClickHouse {store.engine}</Setting>
                <Setting name="Schema">
                  {plural(store.migrations.length, "migration")}
                  <span className="dim">, the last one {store.migrations.at(-1)?.name ?? "–"}</span>
                </Setting>
              </>
            )}
            {prices && <Setting name="Built-in prices">{prices.built_in}</Setting>}
            <Setting name="Store">
              <span className="mono">{health.store}</span>
            </Setting>
            <Setting name="Process">{health.pid}</Setting>
            <Setting name="API">
              <a href="/docs" target="_blank" rel="noreferrer">
                routes and schemas
              </a>
            </Setting>
          </section>
        )}
      </div>
    </>
  );
}

function Setting({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="setting">
      <span className="dim">{name}</span>
      <span>{children}</span>
    </div>
  );
}
