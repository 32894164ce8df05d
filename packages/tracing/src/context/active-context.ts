/**
 * Job: the one way to read and set the active context.
 * Owns: Weft's context manager, the only AsyncLocalStorage that contexts travel in.
 * Does not own: a manager that somebody else registered globally; that one is then used instead.
 * I1. What `runInContext` sets, `activeContext` sees, whether tracing is on, off or somebody else's.
 * I2. startTracing registers this very manager, so a context set before it stays visible after it.
 */
import { context as contextApi, createContextKey, ROOT_CONTEXT } from "@opentelemetry/api";
import type { Context } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { contextWithValue } from "./context-with-span.ts";

export const ownContextManager = new AsyncLocalStorageContextManager().enable();

const probe = ROOT_CONTEXT.setValue(createContextKey("weft.probe"), true);
const readGlobal = (): Context => contextApi.active();
let globalSeen = false;

/** Asks by trying: the api does not say whether a manager is registered. A positive answer is kept. */
function isGlobalRegistered(): boolean {
  if (!globalSeen) globalSeen = contextApi.with(probe, readGlobal) === probe;
  return globalSeen;
}

export function registerContextManager(): boolean {
  return !isGlobalRegistered() && contextApi.setGlobalContextManager(ownContextManager);
}

export function activeContext(): Context {
  return isGlobalRegistered() ? contextApi.active() : ownContextManager.active();
}

/** Runs `fn` with `context` active, in what it calls and in what it awaits. */
export function runInContext<T>(context: Context, fn: () => T): T {
  return isGlobalRegistered() ? contextApi.with(context, fn) : ownContextManager.with(context, fn);
}

/** A function, or every listener of an emitter, that runs in `context` whoever calls it. */
export function bindContext<T>(context: Context, target: T): T {
  return isGlobalRegistered() ? contextApi.bind(context, target) : ownContextManager.bind(context, target);
}

/** The key of OpenTelemetry's own packages, so that their instrumentations obey it too. */
const suppressKey = createContextKey("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

/** Under the result no span is recorded and no header written, by us or by OpenTelemetry's instrumentations. */
export function suppressTracing(context: Context): Context {
  return contextWithValue(context, suppressKey, true);
}

export function unsuppressTracing(context: Context): Context {
  return isTracingSuppressed(context) ? context.deleteValue(suppressKey) : context;
}

export function isTracingSuppressed(context: Context): boolean {
  return context.getValue(suppressKey) === true;
}
