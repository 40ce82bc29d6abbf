/** A field that searches as one types: what it says goes into the address, and what the address says into it. */

import { type ReactNode, type RefObject, useEffect, useLayoutEffect, useRef } from "react";

interface Props {
  name: string;
  /** What the address says. */
  value: string;
  input: RefObject<HTMLInputElement | null>;
  onChange: (text: string) => void;
  /** So long after the last key the text is handed on. */
  restMs?: number;
  className?: string;
  /** Enter, once the text is handed on. */
  onEnter?: () => void;
  children?: ReactNode;
}

export function SearchField({ name, value, input, onChange, restMs = 0, className = "search", onEnter, children }: Props) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  /** What was handed on and the address may not say yet; the last one it will. */
  const told = useRef([value]);
  const rest = () => {
    clearTimeout(timer.current);
    timer.current = undefined;
  };
  const tell = () => {
    rest();
    const text = input.current?.value.trim() ?? "";
    if (text !== told.current.at(-1)) told.current.push(text);
    onChange(text);
  };
  useEffect(() => {
    const at = told.current.lastIndexOf(value);
    told.current = at < 0 ? [value] : told.current.slice(at);
    // What is being typed is the reader's; what back, forward or a button chose is shown, whoever has the focus.
    if (at < 0 && input.current) input.current.value = value;
    if (at < 0) rest();
  }, [value, input]);
  // Who has left the page does not search it any more.
  useLayoutEffect(() => rest, []);
  return (
    <form
      role="search"
      className={className}
      onSubmit={(event) => {
        event.preventDefault();
        tell();
        onEnter?.();
      }}
    >
      <input
        ref={input}
        type="search"
        defaultValue={value}
        aria-label={name}
        placeholder={name}
        onBlur={() => timer.current !== undefined && tell()}
        onChange={() => {
          rest();
          if (restMs > 0) timer.current = setTimeout(tell, restMs);
          else tell();
        }}
      />
      {children || <kbd aria-hidden="true">/</kbd>}
    </form>
  );
}
