/** Signs with one meaning everywhere: a session's state, an event's kind and status, tags. */

import { STATE_NAMES, type State } from "../model/kinds";
import { oneLine, visible } from "../model/visible";
import { useTold } from "./time";

export function StateDot({ state }: { state: string }) {
  const name = STATE_NAMES[state as State] ?? state;
  return <span className={`dot state-${state}`} role="img" aria-label={name} title={name} />;
}

export function StatePill({ state, reason: given }: { state: string; reason: string | null }) {
  const reason = useTold(given);
  const name = STATE_NAMES[state as State] ?? state;
  return (
    <span className={`pill state-${state}`} data-state={state} title={reason ? visible(reason) : undefined}>
      {name}
      {reason && (
        <>
          {" · "}
          <bdi>{oneLine(reason, 90)}</bdi>
        </>
      )}
    </span>
  );
}

export function KindMark({ kind }: { kind: string }) {
  return <span className={`square kind-${kind}`} aria-hidden="true" />;
}

export function StatusPill({ status }: { status: string }) {
  return status === "ok" ? null : <span className={`pill status-${status}`}>{status}</span>;
}

export function Tag({ text }: { text: string }) {
  return <span className="tag">{oneLine(text, 40)}</span>;
}
