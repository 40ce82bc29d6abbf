/** The conversation across all calls to models, in order; what a call repeats from the one before is folded. */

import { useQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { eventQuery } from "../../api/queries";
import { duration, usd } from "../../model/format";
import { kindCode } from "../../model/kinds";
import { alreadyShown, conversation, toolAnswers } from "../../model/messages";
import { type EventTable, STATUS_ERROR } from "../../model/table";
import { oneLine } from "../../model/visible";
import { Failure } from "../../ui/controls";
import { KindMark } from "../../ui/marks";
import { Chat, Value } from "./Chat";
import { ErrorBox } from "./EventPanel";
import { ModelName } from "./ModelName";

const LLM = kindCode("llm");

interface Props {
  sessionId: string;
  table: EventTable;
  selectedRow: number;
  onSelect: (id: string) => void;
}

interface Call {
  id: string;
  row: number;
  /** The calls before and after it by the same agent: one conversation, it may be. */
  before: string | null;
  after: string | null;
}

export function MessagesView({ sessionId, table, selectedRow, onSelect }: Props) {
  const calls = useMemo(() => callsOf(table), [table]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: calls.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 220,
    getItemKey: (index) => calls[index].id,
    overscan: 3,
  });
  const selectedId = selectedRow >= 0 ? table.ids.at(selectedRow) : undefined;
  useEffect(() => {
    const index = calls.findIndex((call) => call.id === selectedId);
    if (index >= 0) virtual.scrollToIndex(index, { align: "auto" });
    // Only when the selection moves: news must not scroll the reader.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [selectedId]);
  if (calls.length === 0) {
    return (
      <div className="empty dim">
        <p>No call to a model was recorded in this session.</p>
      </div>
    );
  }
  return (
    <div className="messages" ref={scroller} role="feed" aria-label="Conversation">
      <div style={{ height: virtual.getTotalSize() }} className="messages-body">
        {virtual.getVirtualItems().map((item) => (
          <div
            key={item.key}
            ref={virtual.measureElement}
            data-index={item.index}
            className="call-block"
            style={{ transform: `translateY(${item.start}px)` }}
          >
            <CallBlock
              sessionId={sessionId}
              table={table}
              call={calls[item.index]}
              isSelected={calls[item.index].id === selectedId}
              onSelect={onSelect}
            />
          </div>
        ))}
      </div>
    </div>
  );
}

function callsOf(table: EventTable): Call[] {
  const calls: Call[] = [];
  const lastBy = new Map<string, Call>();
  const rows: number[] = [];
  for (let row = 0; row < table.count; row++) if (table.kinds[row] === LLM) rows.push(row);
  rows.sort((a, b) => table.starts[a] - table.starts[b]);
  for (const row of rows) {
    const key = `${table.agents.at(row)}\n${table.parents[row]}`;
    const before = lastBy.get(key);
    const call: Call = { id: table.ids.at(row), row, before: before?.id ?? null, after: null };
    if (before) before.after = call.id;
    calls.push(call);
    lastBy.set(key, call);
  }
  return calls;
}

function CallBlock({
  sessionId,
  table,
  call,
  isSelected,
  onSelect,
}: {
  sessionId: string;
  table: EventTable;
  call: Call;
  isSelected: boolean;
  onSelect: (id: string) => void;
}) {
  const { data, error, refetch } = useQuery(eventQuery(sessionId, call.id));
  const before = useQuery({ ...eventQuery(sessionId, call.before ?? ""), enabled: call.before !== null });
  const messages = useMemo(() => (data ? conversation(data) : []), [data]);
  const fold = useMemo(
    () => (before.data ? alreadyShown(conversation(before.data), messages) : 0),
    [before.data, messages],
  );
  const asksTools = messages.some((message) => message.direction === "output" && message.parts.some((part) => part.type === "tool_call"));
  const after = useQuery({ ...eventQuery(sessionId, call.after ?? ""), enabled: call.after !== null && asksTools });
  const whole = useMemo(
    () => (after.data ? [...messages, ...toolAnswers(messages, conversation(after.data))] : messages),
    [after.data, messages],
  );
  const { row } = call;
  return (
    <article className={isSelected ? "call-card selected" : "call-card"} aria-label={`Call to ${oneLine(table.names.at(row), 60)}`} data-event={call.id} aria-busy={!error && (!data || before.isLoading)}>
      <header>
        <button type="button" className="link" onClick={() => onSelect(call.id)}>
          <KindMark kind="llm" /> {oneLine(table.names.at(row), 80)} <ModelName table={table} row={row} />
        </button>
        {table.agents.at(row) && <span className="faint">{oneLine(table.agents.at(row), 60)}</span>}
        <span className="grow" />
        <span className="faint">
          {duration(table.starts[row])} in · {duration(table.durations[row])}
          {Number.isNaN(table.costs[row]) ? "" : ` · ${usd(table.costs[row])}`}
        </span>
      </header>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {/* What is folded is known when the call before has come: nothing shows only to go again. */}
      {data &&
        !before.isLoading &&
        (messages.length > 0 ? (
          <Chat messages={whole} fold={Math.min(fold, Math.max(0, messages.length - 1))} />
        ) : (
          <>
            {data.input != null && <Value value={data.input} />}
            {data.output != null && <Value value={data.output} />}
            {data.input == null && data.output == null && !data.error && <p className="faint">No messages were recorded.</p>}
          </>
        ))}
      {data?.error && table.statuses[row] === STATUS_ERROR && <ErrorBox error={data.error} />}
    </article>
  );
}
