/** A session's tags, as many as fit whole; the rest are counted, and named in the title. */

import { createContext, use } from "react";
import { fitting } from "../../model/fitting";
import { oneLine, visible } from "../../model/visible";
import { Tag } from "../../ui/marks";
import { textWidth } from "../../ui/measure";

/** The width of the column, measured once for all rows. */
export const TagsWidth = createContext(0);

const GAP = 4;
/** What "+12" takes. */
const MORE = 30;
/** A tag's padding and border on both sides, and a pixel for what text measures leave out. */
const AROUND = 15;
const FONT = "11.5px";

export function TagsCell({ tags }: { tags: readonly string[] }) {
  const width = use(TagsWidth);
  const widths = tags.map((tag) => textWidth(oneLine(tag, 40), FONT) + AROUND);
  const shown = width > 0 ? fitting(widths, width, GAP, MORE) : 1;
  const left = tags.length - shown;
  return (
    <span className="tags-fit" title={tags.map(visible).join(", ")}>
      {tags.slice(0, shown).map((tag) => (
        <Tag key={tag} text={tag} />
      ))}
      {left > 0 && <span className="tags-more faint">+{left}</span>}
    </span>
  );
}
