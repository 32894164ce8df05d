import { defaultClientConditions, defineConfig } from "vite";

// oxlint-disable-next-line import/no-default-export -- Vite reads its configuration from the default export.
export default defineConfig({
  // Absolute: pages lie at /traces/{id}, their assets do not.
  base: "/",
  resolve: { conditions: ["@weft/source", ...defaultClientConditions] },
  build: {
    target: ["chrome123", "firefox121", "safari17.5"],
    // The collector's Content-Security-Policy is `default-src 'self'`: no data: URLs and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // `npx vite services/viewer` develops against a running collector.
  server: { proxy: { "/api": "http://127.0.0.1:4318", "/healthz": "http://127.0.0.1:4318" } },
});
