import { TaskState } from "@a2a-js/sdk";
import type { ListTasksRequest, ListTasksResponse } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import type { TaskActor } from "./task-actor.ts";

const defaultPageSize = 50;
const maxPageSize = 100;

/** ListTasks over a caller's tasks: newest change first, artifacts only on request (A2A 1.0, 3.1.4). */
export function listTasks(actors: readonly TaskActor[], params: ListTasksRequest): ListTasksResponse {
  const pageSize = checkPageSize(params.pageSize);
  const offset = parseToken(params.pageToken);
  const after = params.statusTimestampAfter;
  const found = actors
    .filter(({ record }) => params.contextId === "" || record.contextId === params.contextId)
    .filter(({ record }) => isWanted(record.state, params.status))
    .filter(({ record }) => after === undefined || Date.parse(record.changedAt) >= Date.parse(after))
    .sort(
      (a, b) =>
        b.record.changedAt.localeCompare(a.record.changedAt) || a.record.id.localeCompare(b.record.id),
    );
  const page = found.slice(offset, offset + pageSize);
  const options = {
    historyLength: params.historyLength ?? 0,
    withArtifacts: params.includeArtifacts === true,
  };
  return {
    tasks: page.map(({ record }) => record.snapshot(options)),
    nextPageToken: offset + pageSize < found.length ? String(offset + pageSize) : "",
    pageSize: page.length,
    totalSize: found.length,
  };
}

function isWanted(state: TaskState, wanted: TaskState): boolean {
  return wanted === TaskState.TASK_STATE_UNSPECIFIED || state === wanted;
}

function checkPageSize(pageSize: number | undefined): number {
  if (pageSize === undefined || pageSize === 0) return defaultPageSize;
  if (pageSize < 1 || pageSize > maxPageSize) {
    throw new RequestMalformedError(`pageSize must be between 1 and ${maxPageSize}.`);
  }
  return pageSize;
}

function parseToken(token: string): number {
  if (token === "") return 0;
  const offset = Number(token);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new RequestMalformedError("pageToken is not one of ours.");
  return offset;
}
