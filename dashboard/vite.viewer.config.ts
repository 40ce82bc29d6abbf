/**
 * The one-file export: script and style of src/viewer.tsx inside one page, which a policy of hashes lets run and
 * nothing else. The server puts a session's JSON where the page says so.
 */

import { createHash } from "node:crypto";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Where the server puts the JSON; it stands in the page once. */
const PLACE = "AGENTOPS_SESSION_JSON";

function page(script: string, style: string): string {
  // Nothing in a script element may look like its end, or like the start of a comment that hides it.
  const code = script.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = [
    "default-src 'none'",
    `script-src ${hash(code)}`,
    `style-src ${hash(style)}`,
    "img-src data: blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="referrer" content="no-referrer">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    "<title>AgentOps</title>",
    `<style>${style}</style></head><body><div id="root"></div>`,
    "<noscript>This session is shown by a script. Its JSON is in the source of this file.</noscript>",
    `<script id="agentops-session" type="application/json">${PLACE}</script>`,
    `<script type="module">${code}</script>`,
    "</body></html>",
    "",
  ].join("\n");
}

function oneFile(): Plugin {
  return {
    name: "one-file",
    enforce: "post",
    // After everything else has had its say about the script.
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const parts = Object.values(bundle);
        const scripts = parts.filter((part) => part.type === "chunk");
        const styles = parts.filter((part) => part.type === "asset" && part.fileName.endsWith(".css"));
        if (scripts.length !== 1 || styles.length !== 1) {
          this.error(`one script and one style are expected, not ${parts.map((part) => part.fileName).join(", ")}`);
        }
        const style = styles[0].type === "asset" ? String(styles[0].source) : "";
        const source = page(scripts[0].type === "chunk" ? scripts[0].code : "", style);
        for (const part of parts) delete bundle[part.fileName];
        this.emitFile({ type: "asset", fileName: "export.html", source });
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), oneFile()],
  publicDir: false,
  build: {
    outDir: "../src/agentops/server/static",
    emptyOutDir: false,
    target: "es2023",
    cssCodeSplit: false,
    modulePreload: false,
    chunkSizeWarningLimit: 1000,
    rollupOptions: { input: "src/viewer.tsx", output: { codeSplitting: false } },
  },
});
