import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/shell.css";
import "./styles/sessions.css";
import "./styles/session.css";
import "./styles/panel.css";
import "./styles/account.css";
import "./styles/media.css";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startThread } from "./api/thread";
import { client } from "./app/client";
import { router } from "./app/router";

// A session's events may be many: the thread that arranges them loads while they travel.
startThread(location.pathname.startsWith("/sessions/"));

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
