import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin, Rollup } from "vite";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a running `agentops serve`. */
const server = process.env.AGENTOPS_DEV_SERVER ?? "http://127.0.0.1:8420";

/** Scripts and styles stand packed beside themselves: the server sends what the browser takes, and packs nothing. */
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    writeBundle({ dir = "" }, bundle) {
      for (const part of Object.values(bundle)) {
        if (!/\.(js|css)$/.test(part.fileName)) continue;
        const text = part.type === "chunk" ? part.code : part.source;
        writeFileSync(join(dir, `${part.fileName}.gz`), gzipSync(text, { level: 9 }));
      }
    },
  };
}

/**
 * The letters of the first paint travel with the code that paints: nothing moves when they come. What code and styles the
 * charts need beyond that, public/boot.js reads in the page.
 */
function early(): Plugin {
  return {
    name: "early",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle = {} }) {
        const fonts = Object.keys(bundle).filter((name) => /inter-latin-wght-normal/.test(name));
        if (fonts.length !== 1) throw new Error(`one font is expected, not ${fonts.join(", ")}`);
        const charts = filesOf("AnalyticsPage", bundle).map((name) => `/${name}`);
        return [
          { tag: "meta", attrs: { name: "analytics", content: charts.join(" ") }, injectTo: "head-prepend" },
          { tag: "link", attrs: { rel: "preload", as: "font", type: "font/woff2", href: `/${fonts[0]}`, crossorigin: true }, injectTo: "head" },
        ];
      },
    },
  };
}

/** The files of a page that is loaded when it is asked for, without those that every page has. */
function filesOf(page: string, bundle: Rollup.OutputBundle): string[] {
  const chunks = Object.values(bundle).filter((one) => one.type === "chunk");
  const first = chunks.find(({ isEntry, name }) => isEntry && name === "index");
  const own = chunks.find(({ name }) => name === page);
  if (!first || !own) throw new Error(`no code of ${page} was built`);
  const shared = new Set([first.fileName, ...first.imports]);
  const parts = [own, ...chunks.filter(({ fileName }) => own.imports.includes(fileName))].filter(({ fileName }) => !shared.has(fileName));
  return parts.flatMap((one) => [one.fileName, ...(one.viteMetadata?.importedCss ?? [])]);
}

export default defineConfig({
  plugins: [react(), early(), packed()],
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
