/** The first screen of a fresh server: the lines that record a session. It gives way when the first one arrives. */

import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../../api/account";
import { Snippets } from "../../ui/Snippets";

export function FirstRun() {
  const { data: me } = useQuery(meQuery);
  return (
    <div className="first-run">
      <h2>Record your first session</h2>
      <p className="dim">
        Run this beside your agent. The session shows up here while it runs: calls to models, tools, errors, tokens and
        cost.
      </p>
      <Snippets needsKey={me?.auth ?? false} />
      <p className="waiting" role="status">
        <span className="dot state-running" /> Waiting for a session
      </p>
    </div>
  );
}
