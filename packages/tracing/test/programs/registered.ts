/** Started with `--import @weft/tracing/register`: it says nothing about tracing itself. */
import { withSpan } from "@weft/tracing";

withSpan("registered", () => {});
