/** Prints which packages `@weft/runtime/agent` loads. */
import { registerHooks } from "node:module";

const loaded = new Set<string>();
registerHooks({
  resolve(specifier, context, next) {
    const result = next(specifier, context);
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(result.url)?.[1];
    if (name) loaded.add(name);
    if (/^node:(http|https|http2|net|tls)$/.test(result.url)) loaded.add(result.url);
    return result;
  },
});
await import("@weft/runtime/agent");
process.stdout.write(JSON.stringify([...loaded].sort()));
