/** A session's tags, as many as fit whole; the rest are counted, and named in the title. */

import { useLayoutEffect, useRef, useState } from "react";
import { fitting } from "../../model/fitting";
import { visible } from "../../model/visible";
import { useSize } from "../../ui/hooks";
import { Tag } from "../../ui/marks";

const GAP = 4;
/** What "+12" takes. */
const MORE = 30;

export function TagsCell({ tags }: { tags: readonly string[] }) {
  const [box, { width }] = useSize<HTMLSpanElement>();
  const widths = useRef<{ of: string; each: number[] }>({ of: "", each: [] });
  const [shown, setShown] = useState(tags.length);
  const of = tags.join("\n");
  const measured = widths.current.of === of;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || width === 0) return;
    if (widths.current.of !== of) {
      widths.current = { of, each: Array.from(element.querySelectorAll<HTMLElement>(".tag"), (tag) => tag.offsetWidth) };
    }
    setShown(fitting(widths.current.each, width, GAP, MORE));
  }, [box, of, width]);
  const left = tags.length - shown;
  return (
    <span className={measured ? "tags-fit" : "tags-fit measuring"} ref={box} title={tags.map(visible).join(", ")}>
      {(measured ? tags.slice(0, shown) : tags).map((tag) => (
        <Tag key={tag} text={tag} />
      ))}
      {measured && left > 0 && <span className="tags-more faint">+{left}</span>}
    </span>
  );
}
