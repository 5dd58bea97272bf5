import { useId } from 'react';
import type { CodecChoice, Favour, OnEnd, Quality, Resolution } from '../../publish/quality.ts';
import type { HostStatus } from '../../publish/status.ts';
import { language } from '../../words/language.ts';
import { qualityWords } from '../../words/quality.ts';
import { codecName, kindName } from '../codecs.ts';

interface Option<T> {
  value: T;
  label: string;
}

const SIZES: readonly [Resolution, size: string][] = [
  ['2160p', '3840 × 2160'],
  ['1440p', '2560 × 1440'],
  ['1080p', '1920 × 1080'],
  ['720p', '1280 × 720'],
  ['480p', '854 × 480'],
];
const FRAME_RATES: readonly number[] = [5, 10, 15, 24, 30, 60];
const BITRATES: readonly number[] = [500, 1_000, 2_000, 3_000, 5_000, 8_000, 12_000, 20_000].map(
  (kilobits) => kilobits * 1_000,
);
const CODECS = ['av1', 'h264', 'vp9', 'vp8'] as const;
const FAVOURS: readonly Favour[] = ['sharp', 'smooth'];
const ON_ENDS: readonly OnEnd[] = ['card', 'picture'];
const LAYERS = [1, 2, 3] as const;

function resolutions(): Option<Resolution>[] {
  const { asCaptured, upTo } = qualityWords();
  const smaller = SIZES.map(([value, size]) => ({ value, label: upTo(size) }));
  return [{ value: 'source', label: asCaptured }, ...smaller];
}

function codecs(): Option<CodecChoice>[] {
  const named = CODECS.map((value) => ({ value, label: kindName(value) }));
  return [{ value: 'auto', label: qualityWords().bestForText }, ...named];
}

function frameRates(current: number): Option<number>[] {
  return withCurrent(FRAME_RATES, current, qualityWords().perSecond);
}

function bitrates(current: number): Option<number>[] {
  const format = new Intl.NumberFormat(language());
  return withCurrent(BITRATES, current, (value) => `${format.format(value / 1_000_000)} Mbit/s`);
}

/** As the table has them. */
function named<T extends PropertyKey>(values: readonly T[], words: Record<T, string>): Option<T>[] {
  return values.map((value) => ({ value, label: words[value] }));
}

export interface QualityFormProps {
  quality: Quality;
  status: HostStatus | null;
  onChange: (quality: Quality) => void;
}

/** What is sent of the picture; every change applies at once. What hardly anybody changes is folded away. */
export function QualityForm({ quality, status, onChange }: QualityFormProps) {
  const words = qualityWords();
  const title = useId();
  const { labels } = words;
  const set = (change: Partial<Quality>) => onChange({ ...quality, ...change });
  return (
    <section className="card quality" aria-labelledby={title}>
      <header>
        <h2 id={title}>{words.title}</h2>
        <span className="faint">{inUse(quality, status)}</span>
      </header>
      <div className="quality-fields">
        <Choice
          label={labels.resolution}
          value={quality.resolution}
          options={resolutions()}
          onChange={(resolution) => set({ resolution })}
        />
        <Choice
          label={labels.frameRate}
          value={quality.frameRate}
          options={frameRates(quality.frameRate)}
          onChange={(frameRate) => set({ frameRate })}
        />
        <Choice
          label={labels.bitrate}
          value={quality.bitrate}
          options={bitrates(quality.bitrate)}
          onChange={(bitrate) => set({ bitrate })}
        />
      </div>
      <details className="quality-more">
        <summary>{words.more}</summary>
        <div className="quality-fields">
          <Choice
            label={labels.codec}
            value={quality.codec}
            options={codecs()}
            onChange={(codec) => set({ codec })}
          />
          <Choice
            label={labels.layers}
            value={quality.layers}
            options={named(LAYERS, words.layerCounts)}
            onChange={(layers) => set({ layers })}
          />
          <Choice
            label={labels.favour}
            value={quality.favour}
            options={named(FAVOURS, words.favours)}
            onChange={(favour) => set({ favour })}
          />
          <Choice
            label={labels.onEnd}
            value={quality.onEnd}
            options={named(ON_ENDS, words.onEnds)}
            onChange={(onEnd) => set({ onEnd })}
          />
        </div>
      </details>
    </section>
  );
}

function Choice<T extends string | number>(props: {
  label: string;
  value: T;
  options: readonly Option<T>[];
  onChange: (value: T) => void;
}) {
  const id = useId();
  const choose = (text: string) => {
    const option = props.options.find(({ value }) => String(value) === text);
    if (option !== undefined) props.onChange(option.value);
  };
  return (
    <div className="choice">
      <label htmlFor={id}>{props.label}</label>
      <select
        id={id}
        className="field"
        value={String(props.value)}
        onChange={(event) => choose(event.target.value)}
      >
        {props.options.map(({ value, label }) => (
          <option key={value} value={String(value)}>
            {label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A value that another panel or an earlier version chose stays choosable. */
function withCurrent(
  values: readonly number[],
  current: number,
  label: (value: number) => string,
): Option<number>[] {
  const all = values.includes(current) ? values : [...values, current];
  return all
    .map((value) => ({ value, label: label(value) }))
    .toSorted((one, other) => one.value - other.value);
}

function inUse(quality: Quality, status: HostStatus | null): string | null {
  if (status?.picture == null) return null;
  const { width, height, codec } = status.picture;
  const name = codecName(codec);
  const fellBack = quality.codec !== 'auto' && !codec.startsWith(PREFIXES[quality.codec]);
  const said = fellBack ? qualityWords().instead(name) : name;
  return `${width} × ${height} ${said}`;
}

const PREFIXES = { av1: 'av01', h264: 'avc1', vp9: 'vp09', vp8: 'vp8' };
