/** A reader's changes to a session: shown at once, sent one after the other, each on top of the one before. */

import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { editSession, retagged, type SessionEdit, sessionQuery, type TagChange } from "../../api/queries";

export function useEdits(sessionId: string) {
  const client = useQueryClient();
  /** What the server may not know yet. */
  const [edited, setEdited] = useState<SessionEdit>({});
  const [failure, setFailure] = useState("");
  const sending = useRef(Promise.resolve());
  const waiting = useRef(0);
  const change = (shown: SessionEdit, send: () => Promise<unknown>) => {
    setFailure("");
    setEdited((before) => ({ ...before, ...shown }));
    waiting.current++;
    sending.current = sending.current.then(async () => {
      try {
        await send();
      } catch (error) {
        setFailure(error instanceof Error ? error.message : String(error));
      }
      if (--waiting.current > 0) return;
      await client.refetchQueries({ queryKey: sessionQuery(sessionId).queryKey });
      if (waiting.current === 0) setEdited({});
    });
  };
  return {
    rename: (name: string) => change({ name }, () => editSession(sessionId, { name })),
    retag: (tags: readonly string[], by: TagChange) => change({ tags: retagged(tags, by) }, () => editSession(sessionId, by)),
    edited,
    failure,
    setFailure,
  };
}
