/** What admins are told of the versions for viewers who cannot have the main one; pure. */

import type { HostStatus, RenditionFacts } from '../../publish/status.ts';
import { figuresWords } from '../../words/index.ts';
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
  const main = picture === null ? figuresWords().renditions.main : codecName(picture.codec);
  return renditions.map((facts) => lineFor(facts, main));
}

function lineFor(facts: RenditionFacts, main: string): RenditionLine {
  const codec = kindName(facts.codec);
  if (facts.refused !== null) {
    const words = figuresWords().renditions;
    return {
      codec,
      tone: 'bad',
      text:
        facts.maxKbps === null
          ? words.cannotForCodec(main, codec, facts.refused)
          : words.cannotForWidth(codec, facts.refused),
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
  const words = figuresWords().renditions;
  const codec = kindName(kind);
  if (maxKbps === null) {
    return viewers === 0 ? words.codecLingers(codec) : words.alsoForCodec(codec, viewers, main);
  }
  const { value, unit } = bitrate(maxKbps * 1_000);
  const lighter = words.lighter(codec, `${value} ${unit}`);
  return viewers === 0 ? words.lingers(lighter) : words.alsoForWidth(lighter, viewers);
}
