/** A JSON value as a tree one can fold. Long lists and texts are shown a part at a time. */

import { useMemo, useState } from "react";
import { grouped, plural } from "../model/format";
import { Long } from "./text";
import { oneLine, visible } from "../model/visible";

const PAGE = 100;
/** Lines that a value shows by itself, about. */
const ROOM = 400;

export function Json({ value, open = 2 }: { value: unknown; open?: number }) {
  return (
    <div className="json mono">
      <Node name={null} value={value} open={open} room={ROOM} />
    </div>
  );
}

interface Props {
  name: string | null;
  /** Levels that are unfolded by themselves, and lines that they may take together. */
  open: number;
  room: number;
}

function Node({ name, value, open, room }: Props & { value: unknown }) {
  if (typeof value === "object" && value !== null) return <Branch name={name} value={value} open={open} room={room} />;
  return (
    <div className="leaf">
      <Key name={name} />
      <Scalar value={value} />
    </div>
  );
}

function Branch({ name, value, open, room }: Props & { value: object }) {
  const isList = Array.isArray(value);
  const keys = useMemo(() => (isList ? null : Object.keys(value)), [value, isList]);
  const count = isList ? value.length : (keys?.length ?? 0);
  const [isOpen, setOpen] = useState(open > 0 && Math.min(count, PAGE) <= room);
  const [limit, setLimit] = useState(PAGE);
  const [start, end] = isList ? ["[", "]"] : ["{", "}"];
  if (count === 0) {
    return (
      <div className="leaf">
        <Key name={name} />
        <span className="faint">{start + end}</span>
      </div>
    );
  }
  return (
    <div className="branch">
      <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        <span className="chevron" aria-hidden="true" />
        <Key name={name} />
        {isOpen ? start : <span className="faint">{summary(keys, count)}</span>}
      </button>
      {isOpen && (
        <>
          <div className="children">
            {(keys?.slice(0, limit) ?? Array.from({ length: Math.min(count, limit) }, (_, index) => index)).map((key) => (
              <Node
                key={key}
                name={isList ? null : String(key)}
                value={(value as Record<string | number, unknown>)[key]}
                open={open - 1}
                room={room / Math.min(count, PAGE)}
              />
            ))}
            {count > limit && (
              <button type="button" className="more" onClick={() => setLimit(limit + 10 * PAGE)}>
                Show more ({grouped(count - limit)} left)
              </button>
            )}
          </div>
          <span>{end}</span>
        </>
      )}
    </div>
  );
}

function Key({ name }: { name: string | null }) {
  return name === null ? null : (
    <span>
      <span className="key">{visible(name)}</span>
      <span className="faint">: </span>
    </span>
  );
}

function Scalar({ value }: { value: unknown }) {
  if (typeof value === "string") {
    return (
      <span className="string">
        <Long text={value} />
      </span>
    );
  }
  return <span className={value === null ? "faint" : "number"}>{String(value)}</span>;
}

function summary(keys: readonly string[] | null, count: number): string {
  if (keys === null) return `[ ${plural(count, "item")} ]`;
  return `{ ${oneLine(keys.slice(0, 4).join(", "), 60)}${count > 4 ? ", …" : ""} }`;
}
