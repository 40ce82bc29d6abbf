/** A JSON value as a tree one can fold. Long lists and texts are shown a part at a time. */

import { useState } from "react";
import { Long } from "./text";
import { oneLine, visible } from "../model/visible";

const PAGE = 100;

export function Json({ value, open = 2 }: { value: unknown; open?: number }) {
  return (
    <div className="json mono">
      <Node name={null} value={value} open={open} />
    </div>
  );
}

function Node({ name, value, open }: { name: string | null; value: unknown; open: number }) {
  if (typeof value === "object" && value !== null) return <Branch name={name} value={value} open={open} />;
  return (
    <div className="leaf">
      <Key name={name} />
      <Scalar value={value} />
    </div>
  );
}

function Branch({ name, value, open }: { name: string | null; value: object; open: number }) {
  const isList = Array.isArray(value);
  const entries = isList ? value.map((item, index) => [String(index), item] as const) : Object.entries(value);
  const [isOpen, setOpen] = useState(open > 0 && entries.length <= 500);
  const [limit, setLimit] = useState(PAGE);
  const [start, end] = isList ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) {
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
        {isOpen ? start : <span className="faint">{summary(entries, isList)}</span>}
      </button>
      {isOpen && (
        <>
          <div className="children">
            {entries.slice(0, limit).map(([key, item]) => (
              <Node key={key} name={isList ? null : key} value={item} open={open - 1} />
            ))}
            {entries.length > limit && (
              <button type="button" className="more" onClick={() => setLimit(limit + 10 * PAGE)}>
                Show more ({entries.length - limit} left)
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

function summary(entries: readonly (readonly [string, unknown])[], isList: boolean): string {
  if (isList) return `[ ${entries.length} ${entries.length === 1 ? "item" : "items"} ]`;
  return `{ ${oneLine(entries.slice(0, 4).map(([key]) => key).join(", "), 60)}${entries.length > 4 ? ", …" : ""} }`;
}
