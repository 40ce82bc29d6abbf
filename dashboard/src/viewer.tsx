/** The entry of the one-file export: a session's page over the JSON that stands in the file. */

import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/shell.css";
import "./styles/session.css";
import "./styles/panel.css";
import "./styles/file.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { answerFrom } from "./api/client";
import { showTheme } from "./ui/preferences";
import { answering, readRecord } from "./viewer/record";
import { routerFor } from "./viewer/router";

const recorded = readRecord(document.getElementById("agentops-session")!.textContent);
answerFrom(answering(recorded));
showTheme();
const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, retry: false } } });

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={routerFor(recorded.session.session_id) as never} />
    </QueryClientProvider>
  </StrictMode>,
);
