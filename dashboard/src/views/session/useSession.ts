/** A session and its events, fresh while it runs: asked again when the server says so, as fast as the page can bear. */

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { live } from "../../api/live";
import { sessionQuery, timelineQuery } from "../../api/queries";
import type { EventDetail } from "../../api/types";
import { Pace } from "../../model/pace";

const REST_MS = 250;

export function useSession(id: string) {
  const client = useQueryClient();
  const session = useQuery(sessionQuery(id));
  const timeline = useQuery(timelineQuery(id));
  useEffect(() => {
    const pace = new Pace(async () => {
      await Promise.all([
        client.refetchQueries({ queryKey: ["session", id] }),
        client.refetchQueries({ queryKey: ["timeline", id] }),
        client.refetchQueries({ queryKey: ["logs", id], type: "active" }),
        // An ended event never changes: only what was still open is asked for again.
        client.refetchQueries({
          queryKey: ["event", id],
          type: "active",
          predicate: (query) => (query.state.data as EventDetail | undefined)?.status !== "ok",
        }),
      ]);
    }, REST_MS);
    const stop = live.subscribe((changed) => {
      if (changed === null || changed.has(id)) pace.ask();
    });
    return () => {
      stop();
      pace.stop();
    };
  }, [client, id]);
  return { session, timeline };
}
