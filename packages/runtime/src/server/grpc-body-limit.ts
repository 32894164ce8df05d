import type { ServerInterceptor } from "@grpc/grpc-js";
import { limitError } from "../a2a/wire-errors.ts";
import { grpcStatusOf } from "./grpc-service.ts";
import type { GrpcModules } from "./import-grpc.ts";

/**
 * Has grpc-js's own refusal of a message over `bodyBytes` say what every refusal says. It comes before any method is
 * called, from the call that interceptors stand around: only there it can be had.
 */
export function nameBodyLimit(modules: GrpcModules, bodyBytes: number): ServerInterceptor {
  const { ServerInterceptingCall, status: codes } = modules.grpc;
  return (_method, call) => {
    const send = call.sendStatus.bind(call);
    call.sendStatus = (status) => {
      const isTooLarge =
        status.code === codes.RESOURCE_EXHAUSTED && status.details?.startsWith("Received message");
      const text = `The body exceeds the limit bodyBytes of ${bodyBytes} bytes.`;
      send(isTooLarge ? grpcStatusOf(modules, limitError("bodyBytes", text)) : status);
    };
    return new ServerInterceptingCall(call);
  };
}
