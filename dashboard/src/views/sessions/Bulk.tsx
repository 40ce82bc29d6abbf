/** What can be done with several sessions at once: export, tag, delete. */

import { useState } from "react";
import { request } from "../../api/client";
import { deleteSession, editSession, exportUrl } from "../../api/queries";
import type { Session } from "../../api/types";
import { plural } from "../../model/format";
import { Dialog, Failure } from "../../ui/controls";

export function Bulk({ chosen, onDone, onChanged }: { chosen: ReadonlySet<string>; onDone: () => void; onChanged: () => void }) {
  const [isDeleting, setDeleting] = useState(false);
  const [failure, setFailure] = useState<Error | null>(null);
  const [isBusy, setBusy] = useState(false);
  const each = async (task: (id: string) => Promise<unknown>) => {
    setBusy(true);
    setFailure(null);
    try {
      for (const id of chosen) await task(id);
      onDone();
      onChanged();
    } catch (error) {
      setFailure(error instanceof Error ? error : new Error(String(error)));
    } finally {
      setBusy(false);
    }
  };
  const tag = (text: string) =>
    each(async (id) => {
      const session = await request<Session>(`/api/sessions/${encodeURIComponent(id)}`);
      if (!session.tags.includes(text)) await editSession(id, { tags: [...session.tags, text] });
    });
  return (
    <div className="bulk" role="toolbar" aria-label="Chosen sessions">
      <b>{plural(chosen.size, "session")} chosen</b>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const text = String(new FormData(event.currentTarget).get("tag") ?? "").trim();
          if (text) void tag(text);
        }}
      >
        <input name="tag" aria-label="Tag to add" placeholder="Add a tag" disabled={isBusy} />
      </form>
      <button
        type="button"
        className="btn"
        onClick={() => {
          for (const id of chosen) save(exportUrl(id, "json"));
        }}
      >
        Export JSON
      </button>
      <button type="button" className="btn danger" disabled={isBusy} onClick={() => setDeleting(true)}>
        Delete
      </button>
      <button type="button" className="btn quiet" onClick={onDone}>
        Let go
      </button>
      {failure && <Failure error={failure} />}
      {isDeleting && (
        <Dialog title={`Delete ${plural(chosen.size, "session")}?`} onClose={() => setDeleting(false)}>
          <p>Their events go with them. This cannot be undone.</p>
          <footer>
            <button type="button" className="btn" onClick={() => setDeleting(false)}>
              Keep
            </button>
            <button
              type="button"
              className="btn danger"
              onClick={() => {
                setDeleting(false);
                void each(deleteSession);
              }}
            >
              Delete
            </button>
          </footer>
        </Dialog>
      )}
    </div>
  );
}

function save(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.click();
}
