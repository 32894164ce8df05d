import type { TracingStats } from "../export/tracing-stats.ts";

export const noStats: TracingStats = { ended: 0, dropped: 0, destinations: [] };
