/**
 * Job: one file of a spool, written at its end and read anywhere.
 * Owns: the open file, and what the disk did not take: that waits in memory and is written when the disk has room again.
 * I1. Positions count what was appended, wherever it stands: a reader does not see the difference.
 * I2. A write that failed half way leaves nothing: the next one starts at the same position.
 */
import { closeSync, fdatasync, openSync, read, readSync, rmSync, writeSync, write } from "node:fs";

const retryMs = 1000;

export class Segment {
  readonly path: string;
  readonly number: number;
  #fd: number | undefined;
  #fileEnd: number;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #lastFailure = 0;
  #dirty = false;
  /** Large frames on their way to the disk, by their positions. */
  readonly #reserved = new Map<number, Buffer>();
  /** What the disk said last. */
  failure: string | undefined;

  /** @param size bytes that the file holds already; undefined: a new file */
  constructor(path: string, number: number, size?: number) {
    this.path = path;
    this.number = number;
    this.#fileEnd = size ?? 0;
    try {
      // Only this user: there may be people's words in it.
      this.#fd = openSync(path, size === undefined ? "wx+" : "r+", 0o600);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Where the next frame goes. */
  get end(): number {
    return this.#fileEnd + this.#tailBytes;
  }

  /** Up to here everything can be read; a large body may still be on its way to the disk. */
  get readableEnd(): number {
    return this.#reserved.size === 0 ? this.end : Math.min(...this.#reserved.keys());
  }

  /** As `read`, without blocking where it can be helped. */
  async readLarge(from: number, length: number): Promise<Buffer> {
    const fd = this.#fd;
    if (fd === undefined || from + length > this.#fileEnd) return this.read(from, length);
    const buffer = Buffer.allocUnsafeSlow(length);
    let done = 0;
    for (let more = true; more && done < length;) {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      read(fd, buffer, done, length - done, from + done, (error, count) =>
        error === null ? resolve(count) : reject(error),
      );
      const count = await promise;
      done += count;
      more = count > 0;
    }
    return buffer.fill(0, done);
  }

  /** No large frame is on its way to the disk. */
  get isSettled(): boolean {
    return this.#reserved.size === 0;
  }

  /** Bytes that the disk did not take. */
  get memoryBytes(): number {
    return this.#tailBytes;
  }

  /** `bytes` may be reused after the call. */
  append(bytes: Buffer): void {
    if (this.#tailBytes > 0 && !this.#retry()) return this.#keep(bytes);
    if (!this.#write(bytes, this.#fileEnd)) return this.#keep(bytes);
    this.#fileEnd += bytes.length;
  }

  /** Writes a large frame without blocking; frames appended meanwhile stand after it. */
  async appendLarge(frame: Buffer): Promise<void> {
    const fd = this.#fd;
    if (this.#tailBytes > 0 || fd === undefined) return this.append(frame);
    const position = this.#fileEnd;
    // The head goes first: whoever reads after a crash knows how far to step.
    if (!this.#write(frame.subarray(0, 12), position)) return this.#keep(frame);
    this.#reserved.set(position, frame);
    this.#fileEnd += frame.length;
    try {
      await writeFully(fd, frame, position);
      this.#dirty = true;
    } catch (error) {
      this.#fail(error);
      if (this.#reserved.has(position)) this.append(frame);
    } finally {
      this.#reserved.delete(position);
    }
  }

  /** The process ends: large frames are written here and now, to the very places they were on their way to. */
  finish(): void {
    for (const [position, frame] of this.#reserved) if (!this.#write(frame, position)) this.#keep(frame);
    this.#reserved.clear();
  }

  read(from: number, length: number): Buffer {
    const inFile = Math.max(0, Math.min(length, this.#fileEnd - from));
    const parts: Buffer[] = [];
    if (inFile > 0) parts.push(this.#readFile(from, inFile));
    let at = this.#fileEnd;
    for (const part of this.#tail) {
      const start = Math.max(0, from - at);
      const end = Math.min(part.length, from + length - at);
      if (start < end) parts.push(part.subarray(start, end));
      at += part.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** The rest is no frame: it is written over. */
  truncate(position: number): void {
    this.#fileEnd = position;
  }

  /** For power loss; what a killed process wrote, the kernel has already. */
  sync(): void {
    if (!this.#dirty || this.#fd === undefined) return;
    this.#dirty = false;
    fdatasync(this.#fd, () => {});
  }

  /** Bytes that could not be saved. */
  close(remove: boolean): number {
    this.finish();
    const lost = this.#tailBytes > 0 && !this.#retry(true) ? this.#tailBytes : 0;
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    if (remove) rmSync(this.path, { force: true });
    return remove ? 0 : lost;
  }

  #readFile(from: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafeSlow(length);
    const read = this.#fd === undefined ? 0 : readSync(this.#fd, buffer, 0, length, from);
    // What a failed write left out reads as zeros: a damaged frame, which readers step over.
    return buffer.fill(0, read);
  }

  #keep(bytes: Buffer): void {
    this.#tail.push(Buffer.from(bytes));
    this.#tailBytes += bytes.length;
  }

  #retry(now = false): boolean {
    if (!now && performance.now() - this.#lastFailure < retryMs) return false;
    const waiting = Buffer.concat(this.#tail);
    if (!this.#write(waiting, this.#fileEnd)) return false;
    this.#fileEnd += waiting.length;
    this.#tail = [];
    this.#tailBytes = 0;
    this.failure = undefined;
    return true;
  }

  #write(bytes: Buffer, position: number): boolean {
    if (this.#fd === undefined) return false;
    try {
      for (let done = 0; done < bytes.length;)
        done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
      this.#dirty = true;
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    this.#lastFailure = performance.now();
    this.failure = error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

async function writeFully(fd: number, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    write(fd, bytes, done, bytes.length - done, position + done, (error, written) =>
      error === null ? resolve(written) : reject(error),
    );
    done += await promise;
  }
}
