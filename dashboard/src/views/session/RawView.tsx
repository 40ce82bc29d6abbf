/** What the server holds, as JSON: of the selected event, or of the session. */

import { useQuery } from "@tanstack/react-query";
import { isFile } from "../../api/client";
import { wholeEventQuery } from "../../api/queries";
import type { SessionDetail } from "../../api/types";
import { writeJson } from "../../model/json";
import { Copy, Failure } from "../../ui/controls";
import { Json } from "../../ui/json";

export function RawView({ session, eventId }: { session: SessionDetail; eventId: string | undefined }) {
  const event = useQuery({ ...wholeEventQuery(session.session_id, eventId ?? ""), enabled: eventId !== undefined });
  if (event.error && eventId) return <Failure error={event.error} retry={() => void event.refetch()} />;
  const value: unknown = eventId ? event.data : session;
  const path = `/api/sessions/${encodeURIComponent(session.session_id)}${eventId ? `/events/${eventId}` : ""}`;
  return (
    <div className="raw">
      <header>
        {isFile() ? (
          <span className="mono">{path}</span>
        ) : (
          <a className="mono" href={path} target="_blank" rel="noreferrer">
            {path}
          </a>
        )}
        <span className="grow" />
        {value !== undefined && <Copy text={() => writeJson(value, 2)} label="Copy as JSON" />}
      </header>
      {value !== undefined && <Json key={eventId ?? ""} value={value} open={3} />}
    </div>
  );
}
