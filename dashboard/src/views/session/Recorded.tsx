/** The ledger: how many events the recording processes numbered, how many are stored, and which are missing and why. */

import { useQuery } from "@tanstack/react-query";
import { ledgerQuery } from "../../api/queries";
import type { SessionDetail } from "../../api/types";
import { grouped, plural } from "../../model/format";
import { losses, type ProcessLedger, ranges } from "../../model/ledger";
import { oneLine } from "../../model/visible";
import { Menu } from "../../ui/controls";

export function Recorded({ session }: { session: SessionDetail }) {
  const { sent, stored } = session.ledger;
  // Programs of others do not number what they send.
  if (!sent && session.event_counts.total > 0) return <>{grouped(Math.max(stored, session.event_counts.total))} stored</>;
  if (sent === stored) {
    return (
      <span title="Every event the program recorded is in the store.">
        {grouped(sent)} sent · {grouped(stored)} stored
      </span>
    );
  }
  return <Missing sessionId={session.session_id} sent={sent} stored={stored} />;
}

function Missing({ sessionId, sent, stored }: { sessionId: string; sent: number; stored: number }) {
  const { data } = useQuery(ledgerQuery(sessionId));
  const lost = losses(data?.lost ?? {});
  return (
    <span className="warn" title="Events the program recorded, and those that have arrived. What is missing is still in its journal, or was lost.">
      {grouped(sent)} sent · {grouped(stored)} stored
      {data && (
        <>
          {" · "}
          <Menu className="link" label={lost || `${grouped(sent - stored)} missing`}>
            {() => (
              <div className="ledger">
                {lost && <p>The program reports: {lost}.</p>}
                {data.processes.map((one) => (
                  <Process key={one.instance} of={one} />
                ))}
              </div>
            )}
          </Menu>
        </>
      )}
    </span>
  );
}

function Process({ of }: { of: ProcessLedger }) {
  const name = [of.service, of.pid === null ? null : `process ${of.pid}`].filter(Boolean).join(", ") || of.instance;
  return (
    <section>
      <h3>{oneLine(name, 80)}</h3>
      <p className="dim">
        {grouped(of.sent)} sent, {grouped(of.stored)} stored
      </p>
      {of.gaps.length > 0 && <p>Missing {plural(of.sent - of.stored, "event")}: number {ranges(of.gaps, of.gaps_left_out)}</p>}
    </section>
  );
}
