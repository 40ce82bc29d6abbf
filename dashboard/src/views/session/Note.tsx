/** What a reader wrote about the session, changed where it stands. */

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { editSession } from "../../api/queries";
import { Failure } from "../../ui/controls";
import { useGivenBack } from "../../ui/hooks";
import { useMayChange } from "../../ui/permission";
import { Long } from "../../ui/text";

export function Note({ sessionId, note }: { sessionId: string; note: string }) {
  const client = useQueryClient();
  const [isEditing, setEditing] = useState(false);
  /** What stood there when the reader began to write. */
  const [began, setBegan] = useState("");
  /** What was written and is not yet, or could not be, kept; else none, and what the server knows is shown. */
  const [draft, setDraft] = useState<string | null>(null);
  const [failure, setFailure] = useState<Error | null>(null);
  const { opener, giveBack } = useGivenBack();
  const mayChange = useMayChange();
  const shown = draft ?? note;
  if (!mayChange) return note ? <Written note={note} /> : null;
  const keep = async (text: string) => {
    setEditing(false);
    // Who changed nothing takes back nothing that others wrote meanwhile.
    if (text.trim() === began && !failure) return;
    setFailure(null);
    setDraft(text.trim());
    try {
      await editSession(sessionId, { note: text.trim() });
      await client.refetchQueries({ queryKey: ["session", sessionId] });
      setDraft(null);
    } catch (error) {
      setFailure(error instanceof Error ? error : new Error(String(error)));
      setEditing(true);
    }
  };
  return (
    <section aria-label="Note" className="note">
      {failure && <Failure error={failure} />}
      {isEditing ? (
        <textarea
          aria-label="Note"
          defaultValue={shown}
          rows={4}
          ref={(field) => field?.focus()}
          onBlur={(event) => void keep(event.target.value)}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return;
            if (event.key === "Escape") {
              event.stopPropagation();
              giveBack();
              setDraft(null);
              setFailure(null);
              setEditing(false);
            }
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
              giveBack();
              // The key is not also one of what has the focus then.
              event.preventDefault();
              event.currentTarget.blur();
            }
          }}
        />
      ) : (
        <>
          {shown && <Written note={shown} />}
          <button
            type="button"
            className="link faint"
            ref={opener}
            onClick={() => {
              setBegan(shown);
              setEditing(true);
            }}
          >
            {shown ? "Change the note" : "+ note"}
          </button>
        </>
      )}
    </section>
  );
}

function Written({ note }: { note: string }) {
  return (
    <div className="note-box">
      <Long text={note} />
    </div>
  );
}
