/** Codecs as people know them; pure. */

import { type CodecKind, codecKind } from '@steadycast/codec-glue';

const KINDS: Record<CodecKind, string> = { av1: 'AV1', h264: 'H.264', vp9: 'VP9', vp8: 'VP8' };

/** The everyday name of a codec. */
export function kindName(kind: CodecKind): string {
  return KINDS[kind];
}

/** The same of a WebCodecs codec string. */
export function codecName(codec: string): string {
  const kind = codecKind(codec);
  return kind === null ? codec : kindName(kind);
}
