import { TaskState } from "@a2a-js/sdk";
import type { ListTasksRequest, ListTasksResponse, Task } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import type { TaskQuery, TaskRow, TaskStore } from "../store/task-store.ts";
import { withHistory } from "./task-record.ts";

const defaultPageSize = 50;
const maxPageSize = 100;

/**
 * ListTasks over a caller's tasks: newest change first, artifacts only on request (A2A 1.0, 3.1.4). Pages go on after
 * the last task seen, so that what is new moves none of them.
 */
export async function listTasks(
  store: TaskStore,
  owner: { readonly scope: string; readonly owner: string },
  params: ListTasksRequest,
  read: (row: TaskRow) => Task,
): Promise<ListTasksResponse> {
  const pageSize = checkPageSize(params.pageSize);
  const after = parseToken(params.pageToken);
  const from = params.statusTimestampAfter;
  const query: TaskQuery = {
    scope: owner.scope,
    owner: owner.owner,
    ...(params.contextId === "" ? {} : { contextId: params.contextId }),
    ...(params.status === TaskState.TASK_STATE_UNSPECIFIED ? {} : { state: params.status }),
    ...(from === undefined ? {} : { changedFrom: parseTime(from) }),
    ...(after ? { after } : {}),
    limit: pageSize + 1,
  };
  const { rows, total } = await store.list(query);
  const page = rows.slice(0, pageSize);
  return {
    tasks: page.map((row) => cut(read(row), params)),
    nextPageToken: rows.length > pageSize ? formatToken(page.at(-1)!) : "",
    pageSize: page.length,
    totalSize: total,
  };
}

function cut(task: Task, { historyLength = 0, includeArtifacts }: ListTasksRequest): Task {
  const artifacts = includeArtifacts === true ? task.artifacts : [];
  return { ...withHistory(task, historyLength), artifacts };
}

function checkPageSize(pageSize: number | undefined): number {
  if (pageSize === undefined || pageSize === 0) return defaultPageSize;
  if (pageSize < 1 || pageSize > maxPageSize) {
    throw new RequestMalformedError(`pageSize must be between 1 and ${maxPageSize}.`);
  }
  return pageSize;
}

function parseTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isFinite(time)) return time;
  throw new RequestMalformedError("statusTimestampAfter must be an ISO 8601 time.");
}

function formatToken({ changedAt, id }: TaskRow): string {
  return Buffer.from(`${changedAt}/${id}`).toString("base64url");
}

function parseToken(token: string): TaskQuery["after"] | undefined {
  if (token === "") return undefined;
  const [, changedAt, id] = /^(\d{1,16})\/(.+)$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (id === undefined) throw new RequestMalformedError("pageToken is not one of ours.");
  return { changedAt: Number(changedAt), id };
}
