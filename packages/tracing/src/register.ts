/** `node --import @weft/tracing/register app.js`: tracing by environment variables alone. */
import { startTracing } from "./start/start-tracing.ts";

startTracing();
