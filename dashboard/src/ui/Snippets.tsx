/** How to connect a program to this server, ready to paste. */

import { useState } from "react";
import { Choice, Copy } from "./controls";

type Way = "python" | "fastapi" | "otel" | "curl";

/** The SDK's default address needs no mention. */
const DEFAULT_ORIGIN = "http://127.0.0.1:8420";

/** What stands for a key where the server asks for one. */
const KEY = "<your key>";

interface Server {
  readonly origin: string;
  readonly needsKey: boolean;
}

function python(server: Server): string {
  return [
    "import agentops",
    `agentops.init(${[...connection(server), 'tags=["first-steps"]'].join(", ")})`,
    "# … your agent runs here; calls through openai and anthropic are recorded …",
    'agentops.end_session("Success")',
  ].join("\n");
}

function connection({ origin, needsKey }: Server): string[] {
  const isDefault = origin === DEFAULT_ORIGIN || origin === "http://localhost:8420";
  return [...(needsKey ? [`api_key="${KEY}"`] : []), ...(isDefault ? [] : [`endpoint="${origin}"`])];
}

/** Settings for any program, and the smallest one that they suit. */
function otel({ origin, needsKey }: Server): string {
  return [
    `export OTEL_EXPORTER_OTLP_ENDPOINT="${origin}"`,
    'export OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf"',
    ...(needsKey ? [`export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer ${KEY}"`] : []),
    "# any program that OpenTelemetry instruments records here now; this one needs",
    "# pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http",
    "python3 - <<'END'",
    "from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter",
    "from opentelemetry.sdk.trace import TracerProvider",
    "from opentelemetry.sdk.trace.export import BatchSpanProcessor",
    "",
    "provider = TracerProvider()",
    "provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))",
    'with provider.get_tracer("first-steps").start_as_current_span("hello"):',
    "    pass  # your agent runs here",
    "provider.shutdown()",
    "END",
  ].join("\n");
}

/** A session around every request. */
function fastapi(server: Server): string {
  return [
    "import agentops",
    "from agentops.sdk.decorators import session",
    "from fastapi import FastAPI",
    "",
    `agentops.init(${[...connection(server), "auto_start_session=False"].join(", ")})`,
    "app = FastAPI()",
    "",
    '@app.post("/answer")',
    "@session",
    "async def answer(question: str) -> str:",
    "    # your agent runs here; its calls belong to this request's session",
    '    return f"You asked: {question}"',
  ].join("\n");
}

/** One session with nothing but a shell: sent as OTLP/JSON. */
function curl({ origin, needsKey }: Server): string {
  const key = needsKey ? ` -H 'Authorization: Bearer ${KEY}'` : "";
  return [
    `curl ${origin}/v1/traces${key} -H 'Content-Type: application/json' -d '{"resourceSpans": [{"scopeSpans": [{"spans": [{`,
    `  "traceId": "'$(openssl rand -hex 16)'", "spanId": "'$(openssl rand -hex 8)'", "name": "hello",`,
    `  "startTimeUnixNano": "'$(date +%s)'000000000", "endTimeUnixNano": "'$(date +%s)'500000000"}]}]}]}'`,
  ].join("\n");
}

const TEXTS: Record<Way, (server: Server) => string> = { python, fastapi, otel, curl };

export function Snippets({ needsKey }: { needsKey: boolean }) {
  const [way, setWay] = useState<Way>("python");
  const text = TEXTS[way]({ origin: location.origin, needsKey });
  return (
    <div className="snippets">
      <div className="snippets-head">
        <Choice
          label="Way to connect"
          value={way}
          options={[
            ["python", "Python"],
            ["fastapi", "FastAPI"],
            ["otel", "OpenTelemetry"],
            ["curl", "curl"],
          ]}
          onChange={setWay}
        />
        <span className="grow" />
        <Copy text={text} label="Copy the snippet" />
      </div>
      {/* A line may be wider than a narrow screen: who has no pointer scrolls it too. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className="mono" tabIndex={0} role="group" aria-label="The snippet">
        {text.split("\n").map((line, index) => (
          <span key={index} className={line.trimStart().startsWith("#") ? "line faint" : "line"}>
            {line}
            {"\n"}
          </span>
        ))}
      </pre>
    </div>
  );
}
