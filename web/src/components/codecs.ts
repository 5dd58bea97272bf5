/** Codecs as people know them; pure. */

import { type CodecKind, codecKind } from '@steadycast/codec-glue';

const KINDS: Record<CodecKind, string> = { av1: 'AV1', h264: 'H.264', vp9: 'VP9', vp8: 'VP8' };

/** The everyday name of a codec. */
export function kindName(kind: CodecKind): string {
  return KINDS[kind];
}

/** The same of a WebCodecs codec string, or of what SDP calls it. */
export function codecName(codec: string): string {
  const lower = codec.toLowerCase();
  const kind = lower in KINDS ? (lower as CodecKind) : codecKind(codec);
  return kind === null ? codec : kindName(kind);
}
