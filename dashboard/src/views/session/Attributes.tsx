/** Attributes by name, findable, each ready to copy; and the folded sections they stand in. */

import { Fragment, type ReactNode, useState } from "react";
import { grouped } from "../../model/format";
import { writeJson } from "../../model/json";
import { visible } from "../../model/visible";
import { Copy } from "../../ui/controls";
import { Value } from "./Chat";

export function More({ title, count, children, open = false }: { title: string; count: number; children: ReactNode; open?: boolean }) {
  const [isOpen, setOpen] = useState(open);
  return (
    <details className="section" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {title} <span className="faint">{grouped(count)}</span>
      </summary>
      {isOpen && children}
    </details>
  );
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : writeJson(value, 2);
}

interface Props {
  values: Record<string, unknown>;
  /** Attributes that say again what stands in the input or output, and where there. */
  repeats?: Record<string, string> | null;
  /** Show those too. */
  onWhole?: () => void;
}

export function Attributes({ values, repeats, onWhole }: Props) {
  const [find, setFind] = useState("");
  const names = [...Object.keys(values), ...Object.keys(repeats ?? {})].toSorted();
  const needle = find.toLowerCase();
  const shown = names.filter(
    (name) => !needle || name.toLowerCase().includes(needle) || String(values[name]).toLowerCase().includes(needle),
  );
  return (
    <>
      {names.length > 10 && (
        <input
          type="search"
          className="attribute-find"
          aria-label="Find an attribute"
          placeholder="Find an attribute"
          onChange={(event) => setFind(event.target.value)}
        />
      )}
      <dl className="attributes">
        {shown.slice(0, 300).map((name) => (
          <div key={name}>
            <dt className="mono">
              {visible(name)
                .split(/(?<=[._/-])/)
                .map((part, place) => (
                  <Fragment key={place}>
                    {part}
                    <wbr />
                  </Fragment>
                ))}
              {!repeats?.[name] && <Copy text={() => asText(values[name])} label={`Copy ${visible(name)}`} />}
            </dt>
            <dd>
              {repeats?.[name] ? (
                <span className="faint">
                  the same as in the {repeats[name].startsWith("input") ? "input" : "output"} above{" "}
                  <button type="button" className="link" aria-label={`Show ${visible(name)} here too`} onClick={onWhole}>
                    show here too
                  </button>
                </span>
              ) : (
                <Value value={values[name]} open={0} />
              )}
            </dd>
          </div>
        ))}
      </dl>
      {shown.length === 0 && <p className="faint">None.</p>}
    </>
  );
}
