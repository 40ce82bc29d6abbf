/** What can be done with several sessions at once: export into one archive, tag, delete. */

import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { requestBytes } from "../../api/client";
import { archiveUrl, editTags, type Format, FORMATS, withTag } from "../../api/queries";
import type { SessionsEdited } from "../../api/types";
import { grouped, plural } from "../../model/format";
import { inParts, inTurn, inWeighedParts } from "../../model/bulk";
import { Confirm, Failure, Menu } from "../../ui/controls";
import { READ_ONLY, useMayChange } from "../../ui/permission";

/** Sessions that one request changes: enough of them that the asking costs nothing, and progress is seen. */
const AT_ONCE = 100;
/** Characters of the ids that one address names: more is refused by some that stand between. */
const NAMED_AT_ONCE = 3_000;
const NAMING = "&session=".length;

interface Props {
  chosen: ReadonlySet<string>;
  /** How many of them the list does not show: its filters have changed. */
  unseen: number;
  /** These are left to be chosen. */
  onLeft: (chosen: ReadonlySet<string>) => void;
  onChanged: () => void;
  onRemove: (ids: readonly string[]) => Promise<SessionsEdited>;
}

const NONE: ReadonlySet<string> = new Set();

export function Bulk({ chosen, unseen, onLeft, onChanged, onRemove }: Props) {
  const [isDeleting, setDeleting] = useState(false);
  const [failure, setFailure] = useState<Error | null>(null);
  const [done, setDone] = useState<number | null>(null);
  const [ended, setEnded] = useState<{ of: ReadonlySet<string>; text: string } | null>(null);
  const isStopping = useRef(false);
  const mayChange = useMayChange();
  const isBusy = done !== null;
  const end = (left: ReadonlySet<string>, text = "") => {
    if (text) setEnded({ of: left, text });
    onLeft(left);
  };
  /** Do a task with all that are chosen, part by part; `keeps` tells that nothing is done before all is. */
  const perform = async (parts: string[][], task: (ids: string[]) => Promise<unknown>, keeps: boolean, after?: () => Promise<string>) => {
    const left = new Set(chosen);
    isStopping.current = false;
    setDone(0);
    setFailure(null);
    setEnded(null);
    const soFar = () => `${grouped(chosen.size - left.size)} of ${plural(chosen.size, "session")}`;
    try {
      const part = async (ids: string[]) => {
        await task(ids);
        for (const id of ids) left.delete(id);
        setDone(chosen.size - left.size);
      };
      await inTurn(parts, part, () => isStopping.current);
      const text = left.size > 0 ? `stopped after ${soFar()}` : ((await after?.()) ?? "");
      end(keeps && (text || left.size > 0) ? chosen : left, text);
    } catch (error) {
      setFailure(error instanceof Error ? error : new Error(String(error)));
      end(keeps ? chosen : left, left.size < chosen.size ? `failed after ${soFar()}` : "");
    } finally {
      setDone(null);
      onChanged();
    }
  };
  const inHundreds = () => inParts([...chosen], AT_ONCE);
  const tag = (text: string) => perform(inHundreds(), (ids) => editTags(ids, withTag(text)), false);
  const take = (format: Format) => {
    const joining = import("./archive").then(({ Archive }) => new Archive());
    const parts = inWeighedParts([...chosen], NAMED_AT_ONCE, (id) => encodeURIComponent(id).length + NAMING);
    const part = async (ids: string[]) => {
      const [archive, bytes] = await Promise.all([joining, requestBytes(archiveUrl(ids, format))]);
      archive.add(bytes);
    };
    return perform(parts, part, true, async () => {
      const archive = await joining;
      save(archive.finished(), `sessions-${format}.zip`);
      const missing = chosen.size - archive.count;
      return missing > 0 ? `${grouped(archive.count)} exported, ${plural(missing, "session")} no longer there` : "";
    });
  };
  return (
    <div className="bulk" role="toolbar" aria-label="Chosen sessions">
      <b role="status">
        {isBusy
          ? `${grouped(done)} of ${plural(chosen.size, "session")}…`
          : ended?.of === chosen
            ? ended.text
            : `${plural(chosen.size, "session")} chosen`}
        {!isBusy && unseen > 0 && <span className="warn">, {grouped(unseen)} of them not shown</span>}
      </b>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const text = String(new FormData(event.currentTarget).get("tag") ?? "").trim();
          if (text) void tag(text);
        }}
      >
        <input
          name="tag"
          aria-label="Tag to add"
          placeholder="Add a tag"
          maxLength={200}
          disabled={isBusy || !mayChange}
          title={mayChange ? undefined : READ_ONLY}
        />
      </form>
      <Menu label={<>Export <span aria-hidden="true">▾</span></>} name="Export the chosen sessions">
        {(close) => (
          <div className="facet-list">
            {FORMATS.map(([format, name]) => (
              <button
                key={format}
                type="button"
                className="option"
                disabled={isBusy}
                onClick={() => {
                  close();
                  void take(format);
                }}
              >
                {name}
              </button>
            ))}
          </div>
        )}
      </Menu>
      {chosen.size === 2 && (
        <Link to="/compare" search={{ a: [...chosen][0], b: [...chosen][1] }} className="btn">
          Compare
        </Link>
      )}
      <button
        type="button"
        className="btn danger"
        disabled={isBusy || !mayChange}
        title={mayChange ? undefined : READ_ONLY}
        onClick={() => setDeleting(true)}
      >
        Delete
      </button>
      {isBusy ? (
        <button type="button" className="btn" onClick={() => (isStopping.current = true)}>
          Stop
        </button>
      ) : (
        <button type="button" className="btn quiet" onClick={() => onLeft(NONE)}>
          Let go
        </button>
      )}
      {failure && <Failure error={failure} />}
      {isDeleting && (
        <Confirm
          title={`Delete ${plural(chosen.size, "session")}?`}
          does="Delete"
          onClose={() => setDeleting(false)}
          onConfirm={() => {
            setDeleting(false);
            void perform(inHundreds(), onRemove, false);
          }}
        >
          {unseen > 0 && <b>The list does not show {grouped(unseen)} of them. </b>}
          Their events go with them. This cannot be undone.
        </Confirm>
      )}
    </div>
  );
}

function save(archive: Blob, name: string): void {
  const url = URL.createObjectURL(archive);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
