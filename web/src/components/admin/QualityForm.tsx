import { useId } from 'react';
import type { CodecChoice, Favour, OnEnd, Quality, Resolution } from '../../publish/quality.ts';
import type { HostStatus } from '../../publish/status.ts';
import { codecName } from '../codecs.ts';

interface Option<T> {
  value: T;
  label: string;
}

const RESOLUTIONS: readonly Option<Resolution>[] = [
  { value: 'source', label: 'As captured' },
  { value: '2160p', label: 'Up to 3840 × 2160' },
  { value: '1440p', label: 'Up to 2560 × 1440' },
  { value: '1080p', label: 'Up to 1920 × 1080' },
  { value: '720p', label: 'Up to 1280 × 720' },
  { value: '480p', label: 'Up to 854 × 480' },
];
const FRAME_RATES = [5, 10, 15, 24, 30, 60].map((value) => ({
  value,
  label: `${value} per second`,
}));
const BITRATES = [500, 1_000, 2_000, 3_000, 5_000, 8_000, 12_000, 20_000].map((kilobits) => ({
  value: kilobits * 1_000,
  label: `${kilobits / 1_000} Mbit/s`,
}));
const CODECS: readonly Option<CodecChoice>[] = [
  { value: 'auto', label: 'Best for text' },
  { value: 'av1', label: 'AV1' },
  { value: 'h264', label: 'H.264' },
  { value: 'vp9', label: 'VP9' },
  { value: 'vp8', label: 'VP8' },
];
const FAVOURS: readonly Option<Favour>[] = [
  { value: 'sharp', label: 'Keep sharp' },
  { value: 'smooth', label: 'Keep smooth' },
];
const ON_ENDS: readonly Option<OnEnd>[] = [
  { value: 'card', label: 'Viewers see a card' },
  { value: 'picture', label: 'Keep the last picture' },
];
const LAYERS: readonly Option<number>[] = [
  { value: 1, label: 'One, sharpest' },
  { value: 2, label: 'Two' },
  { value: 3, label: 'Three' },
];

export interface QualityFormProps {
  quality: Quality;
  status: HostStatus | null;
  onChange: (quality: Quality) => void;
}

/** Resolution, frame rate, bitrate and codec; every change applies at once. */
export function QualityForm({ quality, status, onChange }: QualityFormProps) {
  const set = (change: Partial<Quality>) => onChange({ ...quality, ...change });
  return (
    <section className="card quality" aria-labelledby="quality-title">
      <header>
        <h2 id="quality-title">Quality</h2>
        <span className="faint">{inUse(quality, status)}</span>
      </header>
      <div className="quality-fields">
        <Choice
          label="Resolution"
          value={quality.resolution}
          options={RESOLUTIONS}
          onChange={(resolution) => set({ resolution })}
        />
        <Choice
          label="Frame rate"
          value={quality.frameRate}
          options={withCurrent(FRAME_RATES, quality.frameRate, (value) => `${value} per second`)}
          onChange={(frameRate) => set({ frameRate })}
        />
        <Choice
          label="Bitrate"
          value={quality.bitrate}
          options={withCurrent(BITRATES, quality.bitrate, (value) => `${value / 1_000_000} Mbit/s`)}
          onChange={(bitrate) => set({ bitrate })}
        />
        <Choice
          label="Codec"
          value={quality.codec}
          options={CODECS}
          onChange={(codec) => set({ codec })}
        />
        <Choice
          label="Layers"
          value={quality.layers}
          options={LAYERS}
          onChange={(layers) => set({ layers })}
        />
        <Choice
          label="On slow networks"
          value={quality.favour}
          options={FAVOURS}
          onChange={(favour) => set({ favour })}
        />
        <Choice
          label="When the window closes"
          value={quality.onEnd}
          options={ON_ENDS}
          onChange={(onEnd) => set({ onEnd })}
        />
      </div>
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
  options: readonly Option<number>[],
  current: number,
  label: (value: number) => string,
): readonly Option<number>[] {
  if (options.some(({ value }) => value === current)) return options;
  return [...options, { value: current, label: label(current) }].toSorted(
    (one, other) => one.value - other.value,
  );
}

function inUse(quality: Quality, status: HostStatus | null): string | null {
  if (status?.picture == null) return null;
  const { width, height, codec } = status.picture;
  const name = codecName(codec);
  const fellBack = quality.codec !== 'auto' && !codec.startsWith(PREFIXES[quality.codec]);
  return `${width} × ${height} ${name}${fellBack ? ' instead' : ''}`;
}

const PREFIXES = { av1: 'av01', h264: 'avc1', vp9: 'vp09', vp8: 'vp8' };
