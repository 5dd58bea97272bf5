/** What admins are told of the versions for viewers who cannot have the main one; pure. */

import type { HostStatus, RenditionFacts } from '../../publish/status.ts';
import { codecName, kindName } from '../codecs.ts';
import { bitrate, wholeFrames } from './time.ts';
import type { Tone } from './words.ts';

export interface RenditionLine {
  codec: string;
  tone: Tone;
  /** A sentence. */
  text: string;
  /** What it costs at present; null when nothing is sent. */
  figures: string | null;
}

export function renditionLines({ renditions, picture }: HostStatus): RenditionLine[] {
  const main = picture === null ? 'the main version' : codecName(picture.codec);
  return renditions.map((facts) => lineFor(facts, main));
}

function lineFor(facts: RenditionFacts, main: string): RenditionLine {
  const codec = kindName(facts.codec);
  if (facts.refused !== null) {
    return {
      codec,
      tone: 'bad',
      text:
        facts.maxKbps === null
          ? `Some viewers cannot show ${main}, and ${codec} cannot be made for them: ${facts.refused}`
          : `Some viewers are on slow networks, and a lighter ${codec} cannot be made for them: ${facts.refused}`,
      figures: null,
    };
  }
  const { value, unit } = bitrate(facts.bitsPerSecond);
  return {
    codec,
    tone: facts.players === 0 ? 'plain' : 'good',
    text: sentence(facts, main),
    figures: `${wholeFrames(facts.fps)} fps · ${value} ${unit}`,
  };
}

function sentence(
  { codec: kind, maxKbps, players: viewers }: RenditionFacts,
  main: string,
): string {
  const codec = kindName(kind);
  if (maxKbps !== null) {
    const { value, unit } = bitrate(maxKbps * 1_000);
    const most = `a lighter ${codec} of at most ${value} ${unit}`;
    if (viewers === 0)
      return `Still sending ${most} for a moment, in case a viewer needs it again.`;
    const whom =
      viewers === 1 ? '1 viewer on a slow network' : `${viewers} viewers on slow networks`;
    return `Also sending ${most} for ${whom}.`;
  }
  if (viewers === 0) return `Still sending ${codec} for a moment, in case a viewer comes back.`;
  const whose =
    viewers === 1
      ? '1 viewer whose browser cannot show'
      : `${viewers} viewers whose browsers cannot show`;
  return `Also sending ${codec} for ${whose} ${main}.`;
}
