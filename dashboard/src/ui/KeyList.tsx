/** All keys that are bound on the page, by the view that binds them. */

import { Dialog } from "./controls";
import { type Binding, boundKeys } from "./keys";
import { usePreference } from "./preferences";

/** What has a description, by the name under which it is bound. */
function sections(): [string, Binding[]][] {
  const found = new Map<string, Binding[]>();
  for (const { name, bindings } of boundKeys()) {
    found.set(name, [...(found.get(name) ?? []), ...bindings.filter((binding) => binding.does)]);
  }
  return [...found];
}

export function KeyList({ onClose }: { onClose: () => void }) {
  const wheel = usePreference("wheel");
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div className="keys">
        {sections().map(([name, told]) => {
          return told.length === 0 ? null : (
            <section key={name}>
              <h3>{name}</h3>
              <dl>
                {told.map((binding) => (
                  <div key={binding.keys}>
                    <dt>
                      {binding.keys.split(" ").map((key) => (
                        <kbd key={key}>{key.replace("Arrow", "").replace("Escape", "Esc")}</kbd>
                      ))}
                    </dt>
                    <dd>{binding.does}</dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
        <section>
          <h3>Pointer, on the timeline</h3>
          <dl>
            <div>
              <dt>wheel</dt>
              <dd>{wheel === "zoom" ? "Zoom (with Shift: scroll)" : "Scroll (with Ctrl: zoom)"}</dd>
            </div>
            <div>
              <dt>drag</dt>
              <dd>Pan</dd>
            </div>
            <div>
              <dt>double click</dt>
              <dd>Fill the view with an event</dd>
            </div>
          </dl>
        </section>
      </div>
    </Dialog>
  );
}
