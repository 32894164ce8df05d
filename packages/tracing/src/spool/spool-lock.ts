/**
 * Job: say whether the process that writes a spool lives.
 * Owns: a file beside the spool, locked by SQLite, because Node has no flock.
 * I1. The kernel lets the lock go when the process dies, however it dies.
 */
import { rmSync } from "node:fs";
import process from "node:process";

export interface SpoolLock {
  /** Lets it go and, where the spool is done with, takes the file away. */
  release(remove: boolean): void;
}

/** Undefined when another process, or another part of this one, holds it. Throws when the file cannot be made. */
export function takeSpoolLock(path: string): SpoolLock | undefined {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  return {
    release: (remove) => {
      // Removed while it is still held: nobody can have taken it in between. Windows removes no open file: it stays, and is free.
      if (remove) tryRemove(path);
      database.close();
    },
  };
}

function tryRemove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The next start finds a lock without a spool, and tries again.
  }
}

/** SQLITE_BUSY, whatever its extension. */
function isBusy(error: unknown): boolean {
  const code: unknown = error instanceof Error && "errcode" in error ? error.errcode : undefined;
  return typeof code === "number" && (code & 0xff) === 5;
}
