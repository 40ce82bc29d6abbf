/** What can be done with several sessions at once: export into one archive, tag, delete. */

import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { ApiError, requestBytes } from "../../api/client";
import { editTags, exportUrl, type Format, FORMATS, withTag } from "../../api/queries";
import { grouped, plural } from "../../model/format";
import { fileName, inParts, inTurn } from "../../model/bulk";
import { Confirm, Failure, Menu } from "../../ui/controls";
import { READ_ONLY, useMayChange } from "../../ui/permission";

const AT_ONCE = 6;
/** Sessions that one request tags. */
const TAGGED_AT_ONCE = 100;

interface Props {
  chosen: ReadonlySet<string>;
  onDone: () => void;
  onChanged: () => void;
  onRemove: (id: string) => Promise<unknown>;
}

export function Bulk({ chosen, onDone, onChanged, onRemove }: Props) {
  const [isDeleting, setDeleting] = useState(false);
  const [failure, setFailure] = useState<Error | null>(null);
  const [done, setDone] = useState<number | null>(null);
  const [stopped, setStopped] = useState<{ of: ReadonlySet<string>; text: string } | null>(null);
  const isStopping = useRef(false);
  const mayChange = useMayChange();
  const isBusy = done !== null;
  const each = (task: (id: string) => Promise<unknown>, after?: () => Promise<void>) =>
    perform([...chosen].map((id) => [id]), ([id]) => task(id), AT_ONCE, after);
  const perform = async (parts: string[][], task: (ids: string[]) => Promise<unknown>, atOnce: number, after?: () => Promise<void>) => {
    let count = 0;
    isStopping.current = false;
    setDone(0);
    setFailure(null);
    setStopped(null);
    try {
      const part = async (ids: string[]) => {
        await task(ids).catch(unlessGone);
        setDone((count += ids.length));
      };
      await inTurn(parts, part, atOnce, undefined, () => isStopping.current);
      if (count < chosen.size) {
        setStopped({ of: chosen, text: `stopped after ${grouped(count)} of ${plural(chosen.size, "session")}` });
        return;
      }
      await after?.();
      onDone();
    } catch (error) {
      setFailure(error instanceof Error ? error : new Error(String(error)));
    } finally {
      setDone(null);
      onChanged();
    }
  };
  const tag = (text: string) => perform(inParts([...chosen], TAGGED_AT_ONCE), (ids) => editTags(ids, withTag(text)), 1);
  const take = (format: Format) => {
    const archive = import("./archive").then(({ Archive }) => new Archive());
    return each(
      async (id) => {
        const bytes = new Uint8Array(await requestBytes(exportUrl(id, format)));
        const to = await archive;
        to.add(fileName(id, format, to.taken), bytes);
      },
      async () => save((await archive).finished(), `sessions-${format}.zip`),
    );
  };
  return (
    <div className="bulk" role="toolbar" aria-label="Chosen sessions">
      <b role="status">
        {isBusy
          ? `${grouped(done)} of ${plural(chosen.size, "session")}…`
          : stopped?.of === chosen
            ? stopped.text
            : `${plural(chosen.size, "session")} chosen`}
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
        <button type="button" className="btn quiet" onClick={onDone}>
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
            void each(onRemove);
          }}
        >
          Their events go with them. This cannot be undone.
        </Confirm>
      )}
    </div>
  );
}

/** A session that was deleted meanwhile, here or elsewhere, holds the others up in nothing. */
function unlessGone(error: unknown): void {
  if (!(error instanceof ApiError && error.status === 404)) throw error;
}

function save(archive: Blob, name: string): void {
  const url = URL.createObjectURL(archive);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
