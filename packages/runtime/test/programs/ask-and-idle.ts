/** Asks once and keeps its connection: a process with nothing else to do ends. */
import { connect } from "@weft/runtime";
import type { Binding } from "@weft/runtime";

const [url, binding] = process.argv.slice(2);
const client = await connect(url!, { binding: binding as Binding });
process.stdout.write(await client.ask("hello"));
