import type * as GrpcClient from "@a2a-js/sdk/client/grpc";
import type * as GrpcErrors from "@a2a-js/sdk/errors/grpc";
import type * as LegacyGrpcClient from "@a2a-js/sdk/compat/v0_3/client/grpc";
import type * as LegacyGrpcServer from "@a2a-js/sdk/compat/v0_3/server/grpc";
import type * as GrpcServer from "@a2a-js/sdk/server/grpc";
import type * as Grpc from "@grpc/grpc-js";
import { WeftError } from "@weft/tracing";

/** What gRPC needs, loaded on first use. */
export interface GrpcModules {
  readonly grpc: typeof Grpc;
  readonly server: typeof GrpcServer;
  readonly client: typeof GrpcClient;
  readonly errors: typeof GrpcErrors;
}

/** What gRPC of A2A 0.3 needs besides. */
export interface LegacyGrpcModules {
  readonly server: typeof LegacyGrpcServer;
  readonly client: typeof LegacyGrpcClient;
}

/**
 * Loads the optional packages behind gRPC.
 *
 * @throws WeftError `missing_dependency` with the command that installs them
 */
export async function importGrpc(): Promise<GrpcModules> {
  try {
    const [grpc, server, client, errors] = await Promise.all([
      import("@grpc/grpc-js"),
      import("@a2a-js/sdk/server/grpc"),
      import("@a2a-js/sdk/client/grpc"),
      import("@a2a-js/sdk/errors/grpc"),
    ]);
    return { grpc, server, client, errors };
  } catch (error) {
    throw missing(error);
  }
}

/**
 * Loads what gRPC of A2A 0.3 needs besides.
 *
 * @throws WeftError `missing_dependency` with the command that installs it
 */
export async function importLegacyGrpc(): Promise<LegacyGrpcModules> {
  try {
    const [server, client] = await Promise.all([
      import("@a2a-js/sdk/compat/v0_3/server/grpc"),
      import("@a2a-js/sdk/compat/v0_3/client/grpc"),
    ]);
    return { server, client };
  } catch (error) {
    throw missing(error);
  }
}

function missing(cause: unknown): WeftError {
  const how = "gRPC needs two packages: npm i @grpc/grpc-js @bufbuild/protobuf";
  return new WeftError("missing_dependency", how, { cause });
}
