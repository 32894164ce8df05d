import { A2AError, fromRestErrorBody } from "@a2a-js/sdk/errors";
import { isRecord } from "../agent/message.ts";

const errorInfoType = "type.googleapis.com/google.rpc.ErrorInfo";

/** The error that an HTTP answer tells: by its `google.rpc.Status` when it has one, else by its status. */
export function statusError(status: number, body: unknown): A2AError {
  const error = isRecord(body) && isRecord(body["error"]) ? body["error"] : undefined;
  const given = error?.["message"];
  const message = typeof given === "string" && given !== "" ? given : `It answered HTTP ${status}.`;
  const details = Array.isArray(error?.["details"]) ? error["details"].filter(isRecord) : [];
  const info = details.find((detail) => detail["@type"] === errorInfoType);
  const metadata = info?.["metadata"];
  if (isRecord(metadata) && typeof metadata["weftCode"] === "string") {
    return new A2AError({ message, metadata: metadata as Record<string, string> });
  }
  return fromRestErrorBody(
    { message, details },
    {
      statusCode: status,
    },
  );
}
