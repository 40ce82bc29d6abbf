/** A session's name and tags, changed where they stand; without `onChange` they are only shown. */

import { type MouseEvent, useRef, useState } from "react";
import { type TagChange, withoutTag, withTag } from "../../api/queries";
import { oneLine, visible } from "../../model/visible";
import { useGivenBack } from "../../ui/hooks";

export function Name({ name, onChange }: { name: string; onChange: ((name: string) => void) | null }) {
  const { opener, giveBack } = useGivenBack();
  /** What the name was when the reader began to change it: others may change it meanwhile. */
  const [began, setBegan] = useState<string | null>(null);
  if (onChange === null) return <h1 title={visible(name)}>{oneLine(name, 200) || "unnamed"}</h1>;
  if (began === null) {
    return (
      <h1 title={visible(name)}>
        <button type="button" className="name" title="Rename" ref={opener} onClick={() => setBegan(name)}>
          {oneLine(name, 200) || "unnamed"}
        </button>
      </h1>
    );
  }
  const done = (text: string) => {
    setBegan(null);
    if (text.trim() && text !== began) onChange(text.trim());
  };
  return (
    <h1>
      <input
        className="rename"
        aria-label="Session name"
        maxLength={500}
        defaultValue={began}
        ref={(field) => field?.select()}
        onBlur={(event) => done(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
          giveBack();
          // The key is not also one of what has the focus then.
          event.preventDefault();
          if (event.key === "Enter") return event.currentTarget.blur();
          event.stopPropagation();
          setBegan(null);
        }}
      />
    </h1>
  );
}

export function Tags({ tags, onChange }: { tags: string[]; onChange: ((change: TagChange) => void) | null }) {
  const [isAdding, setAdding] = useState(false);
  const { opener, giveBack } = useGivenBack();
  const all = useRef<HTMLSpanElement>(null);
  const add = (text: string) => {
    setAdding(false);
    if (text && !tags.includes(text)) onChange?.(withTag(text));
  };
  const remove = (event: MouseEvent, tag: string) => {
    onChange?.(withoutTag(tag));
    // The button goes with its tag: who pressed it by key goes on from the last one.
    if (event.detail === 0) all.current?.querySelector<HTMLElement>(":scope > button")?.focus();
  };
  return (
    <span className="tags" ref={all}>
      {tags.map((tag) => (
        <span key={tag} className="tag">
          {oneLine(tag, 40)}
          {onChange && (
            <button type="button" aria-label={`Remove the tag ${visible(tag)}`} onClick={(event) => remove(event, tag)}>
              ×
            </button>
          )}
        </span>
      ))}
      {onChange === null ? null : isAdding ? (
        <input
          className="add-tag"
          aria-label="New tag"
          maxLength={200}
          ref={(field) => field?.focus()}
          onBlur={(event) => add(event.currentTarget.value.trim())}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
            giveBack();
            event.preventDefault();
            if (event.key === "Enter") return event.currentTarget.blur();
            event.stopPropagation();
            setAdding(false);
          }}
        />
      ) : (
        <button type="button" className="link faint" ref={opener} onClick={() => setAdding(true)}>
          + tag
        </button>
      )}
    </span>
  );
}
