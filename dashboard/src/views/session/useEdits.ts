/** A reader's changes to a session: shown at once, sent one after the other, each on top of the one before. */

import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { editSession, type SessionEdit, sessionQuery } from "../../api/queries";

export function useEdits(sessionId: string) {
  const client = useQueryClient();
  /** What the server may not know yet. */
  const [edited, setEdited] = useState<SessionEdit>({});
  const [failure, setFailure] = useState("");
  const sending = useRef(Promise.resolve());
  const waiting = useRef(0);
  const edit = (change: SessionEdit) => {
    setFailure("");
    setEdited((before) => ({ ...before, ...change }));
    waiting.current++;
    sending.current = sending.current.then(async () => {
      try {
        await editSession(sessionId, change);
      } catch (error) {
        setFailure(error instanceof Error ? error.message : String(error));
      }
      if (--waiting.current > 0) return;
      await client.refetchQueries({ queryKey: sessionQuery(sessionId).queryKey });
      if (waiting.current === 0) setEdited({});
    });
  };
  return { edit, edited, failure, setFailure };
}
