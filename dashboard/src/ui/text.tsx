/** Text of strangers, shown as text: what hides is made visible, what is long is cut with a way to see the rest. */

import { memo, useMemo, useState } from "react";
import { bytes } from "../model/format";
import { pieces } from "../model/visible";

export const Visible = memo(function Visible({ text }: { text: string }) {
  const parts = useMemo(() => pieces(text), [text]);
  if (parts.length === 1 && !parts[0].hidden) return <>{parts[0].text}</>;
  return (
    <>
      {parts.map((piece, index) =>
        piece.hidden ? (
          <span key={index} className="hidden-sign" title={piece.hidden}>
            {piece.text}
          </span>
        ) : (
          piece.text
        ),
      )}
    </>
  );
});

const FIRST = 12_000;
const STEP = 250_000;

/** A text of any length, in pieces the page can bear. */
export function Long({ text, mono = false }: { text: string; mono?: boolean }) {
  const [limit, setLimit] = useState(FIRST);
  const cut = text.length > limit;
  return (
    <>
      <div className={mono ? "long mono" : "long"} dir="auto">
        <Visible text={cut ? text.slice(0, limit) : text} />
        {cut && "…"}
      </div>
      {cut && (
        <button type="button" className="more" onClick={() => setLimit(limit + STEP)}>
          Show more ({bytes(text.length - limit)} left)
        </button>
      )}
    </>
  );
}
