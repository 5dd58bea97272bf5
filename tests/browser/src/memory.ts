/** All that a process of this user has in its memory, as a core dump of it would. */

import { type FileHandle, open, readFile } from 'node:fs/promises';

/** A part of it at a time. */
const PART = 16 * 1024 * 1024;
/** Parts overlap by more than anything that is looked for has. */
const OVERLAP = 256;
/** What the kernel shows of itself. */
const NONE = ['[vvar]', '[vvar_vclock]', '[vsyscall]'];

interface Mapping {
  from: number;
  to: number;
}

/** One part after another; each is good until the next. */
export async function* memoryOf(pid: number): AsyncGenerator<Buffer> {
  const memory = await open(`/proc/${pid}/mem`, 'r');
  const buffer = Buffer.allocUnsafe(PART);
  try {
    for (const { from, to } of await mappingsOf(pid)) {
      for (let at = from; at < to; at += PART - OVERLAP) {
        const length = await readAt(memory, buffer, at, Math.min(PART, to - at));
        if (length > 0) yield buffer.subarray(0, length);
      }
    }
  } finally {
    await memory.close();
  }
}

/** What may be read, but for what is in files already and cannot be written to: programs, as those are built. */
async function mappingsOf(pid: number): Promise<Mapping[]> {
  const lines = (await readFile(`/proc/${pid}/maps`, 'utf8')).trimEnd().split('\n');
  return lines.flatMap((line) => {
    const [range = '', rights = '', , , , name = ''] = line.split(/\s+/);
    const isProgram = name.startsWith('/') && !rights.includes('w');
    if (!rights.startsWith('r') || NONE.includes(name) || isProgram) return [];
    const [from = 0, to = 0] = range.split('-').map((text) => Number.parseInt(text, 16));
    return [{ from, to }];
  });
}

/** 0: it is gone meanwhile. */
async function readAt(
  memory: FileHandle,
  buffer: Buffer,
  at: number,
  length: number,
): Promise<number> {
  try {
    return (await memory.read(buffer, 0, length, at)).bytesRead;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EIO') return 0;
    throw error;
  }
}
