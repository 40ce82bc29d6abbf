/** How answers are kept: shown at once when known, asked again when the server says that they changed. */

import { QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "../api/client";
import { live } from "../api/live";

export const client: QueryClient = new QueryClient({
  // A sign-in that ended shows at the first refusal.
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof ApiError && error.status === 401) void client.invalidateQueries({ queryKey: ["me"] });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchOnWindowFocus: false,
      // What the server refused it will refuse again; what did not reach it may.
      retry: (failures, error) => failures < 2 && !isRefusal(error),
      retryDelay: (attempt) => 400 * 2 ** attempt,
    },
  },
});

// So does one while the page only listens: its key was revoked, or the server asks for keys since its last start.
live.onRefusal = () => void client.invalidateQueries({ queryKey: ["me"] });

// What failed while the server was away is asked again when it is back, without being told to.
live.onOpen = () =>
  void client.refetchQueries({ type: "active", predicate: ({ state }) => state.status === "error" && !isRefusal(state.error) });

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500;
}
