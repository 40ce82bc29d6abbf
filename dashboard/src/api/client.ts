/** One way to ask for what is known: typed answers, and errors that say what failed and what to do. */

import { hasLongNumbers, readingJson, readJson, withDoubles } from "../model/json";

/** The server refused, or could not be reached (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string;

  constructor(status: number, code: string, message: string, hint: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** Add a query to a path; lists repeat their name, empty values are left out. */
export function withQuery(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value == null || value === "") continue;
    if (Array.isArray(value)) for (const one of value) search.append(name, one);
    else search.append(name, String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

interface Options {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  signal?: AbortSignal;
}

export async function request<T>(path: string, options: Options = {}): Promise<T> {
  const response = await answered(path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** An answer of more characters is read a little at a time: the page goes on while it is. */
const LARGE = 500_000;
const STEP_MS = 8;

/** The answer; in the fields that hold what a program recorded, numbers keep all their digits. */
export async function requestRecord<T extends object>(path: string, recorded: readonly (keyof T)[], options: Options = {}): Promise<T> {
  const text = await (await answered(path, options)).text();
  if (text.length > LARGE) {
    const exact = (await readSlowly(text, options.signal)) as T;
    return Object.fromEntries(
      Object.entries(exact).map(([field, value]) => [field, recorded.includes(field as keyof T) ? value : withDoubles(value)]),
    ) as T;
  }
  const value = JSON.parse(text) as T;
  if (!hasLongNumbers(text)) return value;
  const exact = readJson(text) as T;
  return { ...value, ...Object.fromEntries(recorded.map((field) => [field, exact[field]])) };
}

async function readSlowly(text: string, signal?: AbortSignal): Promise<unknown> {
  const reading = readingJson(text);
  for (let until = performance.now() + STEP_MS; ; ) {
    const { done, value } = reading.next();
    if (done) return value;
    if (performance.now() < until) continue;
    await new Promise((goOn) => setTimeout(goOn));
    signal?.throwIfAborted();
    until = performance.now() + STEP_MS;
  }
}

/** The answer as bytes, for another thread to read. */
export async function requestBytes(path: string, options: Options = {}): Promise<ArrayBuffer> {
  return (await requestWhole(path, options)).bytes;
}

/** The answer as bytes, with its headers. */
export async function requestWhole(path: string, options: Options = {}): Promise<{ bytes: ArrayBuffer; headers: Headers }> {
  const response = await answered(path, options);
  return { bytes: await response.arrayBuffer(), headers: response.headers };
}

/** Where answers come from: a server, or what stands in the page itself. */
export type Transport = (path: string, init: RequestInit) => Promise<Response>;

let transport: Transport = (path, init) => fetch(path, init);
let isAway = false;

/** Take all answers from elsewhere: a page that is a file has no server. */
export function answerFrom(other: Transport): void {
  transport = other;
  isAway = true;
}

/** Whether the page is a file: nothing can be changed, nothing moves, other pages are not there. */
export function isFile(): boolean {
  return isAway;
}

/** By more than this two clocks differ: less may be the way of an answer. */
const APART_MS = 10_000;
let ahead = 0;

/** The server's clock, unix milliseconds: what it told is measured by it. The browser's, unless they differ. */
export function serverNow(): number {
  return Date.now() + ahead;
}

function heedClock(said: string | null): void {
  const apart = Date.parse(said ?? "") - Date.now();
  if (!Number.isNaN(apart)) ahead = Math.abs(apart) > APART_MS ? apart : 0;
}

async function answered(path: string, { method = "GET", body, signal }: Options): Promise<Response> {
  let response: Response;
  try {
    response = await transport(path, {
      method,
      signal,
      headers: body === undefined ? { accept: "application/json" } : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "The server does not answer.", "Is agentops serve still running?");
  }
  heedClock(response.headers.get("Date"));
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response: Response): Promise<ApiError> {
  const fallback = `The server answered ${response.status} ${response.statusText}.`;
  try {
    const { error } = (await response.json()) as { error?: { code?: string; message?: string; hint?: string } };
    return new ApiError(response.status, error?.code ?? "error", error?.message ?? fallback, error?.hint ?? "");
  } catch {
    return new ApiError(response.status, "error", fallback, "");
  }
}
