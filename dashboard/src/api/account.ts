/** Who asks: signing in and out, projects and keys. */

import { queryOptions } from "@tanstack/react-query";
import { isFile, request, withQuery } from "./client";
import type { components } from "./schema";

export type Me = components["schemas"]["Me"];
export type KeyInfo = components["schemas"]["KeyInfo"];
export type NewKey = components["schemas"]["NewKey"];

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => request<Me>("/api/me", { signal }),
  staleTime: Number.POSITIVE_INFINITY,
  enabled: !isFile(),
});

export type AccountChange = "signed in or out" | "another project";

let tabs: BroadcastChannel | undefined;

/** The tabs of a browser share one sign-in: what changes it in one of them is told the others. */
function otherTabs(): BroadcastChannel {
  return (tabs ??= new BroadcastChannel("agentops sign-in"));
}

export function tellOtherTabs(change: AccountChange): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel has no target
  otherTabs().postMessage(change);
}

/** Hear what another tab tells; returns how to stop listening. */
export function onOtherTab(run: (change: AccountChange) => void): () => void {
  const heard = ({ data }: MessageEvent<AccountChange>) => run(data);
  otherTabs().addEventListener("message", heard);
  return () => otherTabs().removeEventListener("message", heard);
}

export function signIn(key: string): Promise<Me> {
  return request("/api/sign-in", { method: "POST", body: { key } });
}

export function signOut(): Promise<void> {
  return request("/api/sign-out", { method: "POST" });
}

export function switchProject(project: string): Promise<Me> {
  return request("/api/projects/switch", { method: "POST", body: { project } });
}

export function createProject(name: string): Promise<{ project_id: string; name: string }> {
  return request("/api/projects", { method: "POST", body: { name } });
}

export function keysQuery(project: string) {
  return queryOptions({
    queryKey: ["keys", project],
    queryFn: async ({ signal }) =>
      (await request<{ keys: KeyInfo[] }>(withQuery("/api/keys", { project }), { signal })).keys,
  });
}

export interface KeyWish {
  name: string;
  scope: string;
  project: string;
  expires_in_days: number | null;
}

export function createKey(wish: KeyWish): Promise<NewKey> {
  return request("/api/keys", { method: "POST", body: wish });
}

export function rotateKey(keyId: string): Promise<NewKey> {
  return request(`/api/keys/${encodeURIComponent(keyId)}/rotate`, { method: "POST" });
}

export function revokeKey(keyId: string): Promise<KeyInfo> {
  return request(`/api/keys/${encodeURIComponent(keyId)}`, { method: "DELETE" });
}
