import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running `agentops serve`. */
const server = process.env.AGENTOPS_DEV_SERVER ?? "http://127.0.0.1:8420";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "../src/agentops/server/static",
    emptyOutDir: true,
    target: "es2023",
    // The server's policy forbids data: fonts and scripts: every asset is a file.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: {
    host: "127.0.0.1",
    proxy: Object.fromEntries(
      ["/api", "/v1", "/healthz", "/openapi.json"].map((path) => [path, { target: server, changeOrigin: true }]),
    ),
  },
  test: { environment: "node", include: ["src/**/*.test.ts", "src/**/*.test.tsx"] },
});
