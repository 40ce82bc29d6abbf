/** Two panes with a border one can drag; on a narrow screen the second is a sheet over the first. */

import { type PointerEvent, type ReactNode, useRef } from "react";
import { setPreference, usePreference } from "../../ui/preferences";

const LEAST = 320;

export function PanelFrame({
  panel,
  isSheet,
  onClose,
  children,
}: {
  panel: ReactNode;
  isSheet: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  const width = Math.max(LEAST, Number(usePreference("panelWidth")) || 440);
  const root = useRef<HTMLDivElement>(null);
  /** What the grid below grants at most: a width that nobody sees would have to be taken back unseen. */
  const most = () => Math.max(LEAST, Math.min(clientWidth() * 0.6, clientWidth() - 361));
  const clientWidth = () => root.current?.clientWidth ?? Number.POSITIVE_INFINITY;
  const widen = (to: number) => setPreference("panelWidth", String(Math.round(Math.max(LEAST, Math.min(most(), to)))));
  const drag = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons !== 1 || !root.current) return;
    const right = root.current.getBoundingClientRect().right;
    widen(right - event.clientX);
  };
  return (
    <div
      className={isSheet ? "panes sheet" : "panes"}
      ref={root}
      style={isSheet ? undefined : { gridTemplateColumns: `minmax(0, 1fr) 1px min(${width}px, 60%, 100% - 361px)` }}
    >
      <section className="left" aria-label="Events">
        {children}
      </section>
      {!isSheet && (
        // A focusable separator is a widget: https://www.w3.org/WAI/ARIA/apg/patterns/windowsplitter/
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
        <div
          className="divider"
          role="separator"
          aria-orientation="vertical"
          aria-label="Width of the event panel"
          aria-valuenow={width}
          aria-valuemin={LEAST}
          aria-valuemax={1200}
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
          tabIndex={0}
          onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
          onPointerMove={drag}
          onKeyDown={(event) => {
            if (event.key === "ArrowLeft") widen(Math.min(most(), width) + 24);
            else if (event.key === "ArrowRight") widen(Math.min(most(), width) - 24);
            else return;
            event.preventDefault();
          }}
        />
      )}
      {panel && (
        <aside className="panel" tabIndex={-1} aria-label="Selected event">
          {isSheet && (
            <button type="button" className="btn sheet-close" onClick={onClose}>
              ← Back to the events
            </button>
          )}
          {panel}
        </aside>
      )}
    </div>
  );
}
