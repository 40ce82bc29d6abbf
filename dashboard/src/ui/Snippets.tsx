/** How to connect a program to this server, ready to paste. */

import { useState } from "react";
import { Choice, Copy } from "./controls";

type Way = "python" | "otel";

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

export function Snippets() {
  const [way, setWay] = useState<Way>("python");
  const text = way === "python" ? python(location.origin) : otel(location.origin);
  return (
    <div className="snippets">
      <div className="snippets-head">
        <Choice
          label="Way to connect"
          value={way}
          options={[
            ["python", "Python"],
            ["otel", "OpenTelemetry"],
          ]}
          onChange={setWay}
        />
        <span className="grow" />
        <Copy text={text} label="Copy the snippet" />
      </div>
      <pre className="mono">
        {text.split("\n").map((line) => (
          <span key={line} className={line.startsWith("#") ? "line faint" : "line"}>
            {line}
            {"\n"}
          </span>
        ))}
      </pre>
    </div>
  );
}
