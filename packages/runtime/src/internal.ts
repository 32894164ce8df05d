/** For Weft's own packages. Not covered by semantic versioning. */
export { fetchCard, parseCard } from "./client/fetch-card.ts";
export { HttpPool } from "./client/http-pool.ts";
export { isAgent } from "./server/agent-service.ts";
export { readHop } from "./a2a/hop.ts";
export type { HopMetadata } from "./a2a/hop.ts";
