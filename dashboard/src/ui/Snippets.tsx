/** How to connect a program to this server, ready to paste. */

import { useState } from "react";
import { Choice, Copy } from "./controls";

type Way = "python" | "fastapi" | "otel" | "curl";

/** The SDK's default address needs no mention. */
const DEFAULT_ORIGIN = "http://127.0.0.1:8420";

function python(origin: string): string {
  const endpoint = isDefault(origin) ? "" : `endpoint="${origin}", `;
  return [
    "import agentops",
    `agentops.init(${endpoint}tags=["first-steps"])`,
    "# … your agent runs here; calls through openai and anthropic are recorded …",
    'agentops.end_session("Success")',
  ].join("\n");
}

function isDefault(origin: string): boolean {
  return origin === DEFAULT_ORIGIN || origin === "http://localhost:8420";
}

function otel(origin: string): string {
  return [
    `export OTEL_EXPORTER_OTLP_ENDPOINT="${origin}"`,
    'export OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf"',
    "# then run any program that OpenTelemetry instruments",
  ].join("\n");
}

/** A session around every request. */
function fastapi(origin: string): string {
  const endpoint = isDefault(origin) ? "" : `endpoint="${origin}", `;
  return [
    "import agentops",
    "from agentops.sdk.decorators import session",
    "from fastapi import FastAPI",
    "",
    `agentops.init(${endpoint}auto_start_session=False)`,
    "app = FastAPI()",
    "",
    '@app.post("/answer")',
    "@session",
    "async def answer(question: str) -> str:",
    "    return await ask_the_agent(question)  # calls in here belong to this request's session",
  ].join("\n");
}

/** One session with nothing but a shell: sent as OTLP/JSON. */
function curl(origin: string): string {
  return [
    `curl ${origin}/v1/traces -H 'Content-Type: application/json' -d '{"resourceSpans": [{"scopeSpans": [{"spans": [{`,
    `  "traceId": "'$(openssl rand -hex 16)'", "spanId": "'$(openssl rand -hex 8)'", "name": "hello",`,
    `  "startTimeUnixNano": "'$(date +%s)'000000000", "endTimeUnixNano": "'$(date +%s)'500000000"}]}]}]}'`,
  ].join("\n");
}

const TEXTS: Record<Way, (origin: string) => string> = { python, fastapi, otel, curl };

export function Snippets() {
  const [way, setWay] = useState<Way>("python");
  const text = TEXTS[way](location.origin);
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
      <pre className="mono">
        {text.split("\n").map((line, index) => (
          <span key={index} className={line.startsWith("#") ? "line faint" : "line"}>
            {line}
            {"\n"}
          </span>
        ))}
      </pre>
    </div>
  );
}
