/** The kinds an event can have, in the order in which they are listed everywhere. */

export const KINDS = [
  "agent",
  "operation",
  "action",
  "llm",
  "tool",
  "retrieval",
  "embedding",
  "guardrail",
  "error",
] as const;
export type Kind = (typeof KINDS)[number];

/** Kinds that contain others: drawn as a frame around their children rather than as work of their own. */
const CONTAINERS: ReadonlySet<string> = new Set(["agent", "operation"]);

const CODES = new Map<string, number>(KINDS.map((kind, code) => [kind, code]));
const OPERATION = KINDS.indexOf("operation");

/** The number of a kind; a kind this version does not know counts as an operation. */
export function kindCode(kind: string): number {
  return CODES.get(kind) ?? OPERATION;
}

export function isContainer(kind: string): boolean {
  return CONTAINERS.has(kind);
}

export const STATES = ["running", "success", "fail", "indeterminate"] as const;
export type State = (typeof STATES)[number];

export const STATE_NAMES: Record<State, string> = {
  running: "Running",
  success: "Success",
  fail: "Fail",
  indeterminate: "Indeterminate",
};

export const STATUSES = ["ok", "error", "running", "interrupted"] as const;
export type Status = (typeof STATUSES)[number];

export function statusCode(status: string): number {
  const code = (STATUSES as readonly string[]).indexOf(status);
  return code < 0 ? 0 : code;
}
