import { CROP_MIN, snapCrop } from '../../publish/crop.ts';
import { reshapeCrop } from '../../publish/crop-edit.ts';
import type { Crop, Size } from '../../publish/geometry.ts';
import { NumberField } from './NumberField.tsx';

const ASPECTS = [
  { name: 'free', label: 'Free' },
  { name: 'wide', label: '16:9' },
  { name: 'classic', label: '4:3' },
  { name: 'square', label: '1:1' },
  { name: 'original', label: 'Original' },
] as const;

export type AspectName = (typeof ASPECTS)[number]['name'];

/** Width through height; null leaves the shape free. */
export function aspectOf(name: AspectName, source: Size): number | null {
  switch (name) {
    case 'free':
      return null;
    case 'wide':
      return 16 / 9;
    case 'classic':
      return 4 / 3;
    case 'square':
      return 1;
    case 'original':
      return source.width / source.height;
  }
}

export interface CropControlsProps {
  crop: Crop;
  source: Size;
  disabled: boolean;
  /** There is something to reset. */
  cropped: boolean;
  aspect: AspectName;
  onAspect: (name: AspectName) => void;
  onCommit: (crop: Crop) => void;
  onReset: () => void;
}

/** The crop in numbers, its shape, and the way back to the whole picture. */
export function CropControls(props: CropControlsProps) {
  const { disabled } = props;
  return (
    <fieldset className="crop-controls" disabled={disabled}>
      <legend className="spoken">Crop</legend>
      <CropNumbers {...props} />
      <div className="crop-shape">
        <AspectChoice aspect={props.aspect} disabled={disabled} onAspect={props.onAspect} />
        <button
          type="button"
          className="button"
          disabled={disabled || !props.cropped}
          onClick={props.onReset}
        >
          Reset crop
        </button>
      </div>
    </fieldset>
  );
}

function CropNumbers({ crop, source, disabled, aspect, onCommit }: CropControlsProps) {
  const ratio = aspectOf(aspect, source);
  const fields: {
    label: string;
    value: number;
    min: number;
    max: number;
    next: (n: number) => Crop;
  }[] = [
    {
      label: 'Left',
      value: crop.x,
      min: 0,
      max: source.width - CROP_MIN,
      next: (x) => ({ ...crop, x }),
    },
    {
      label: 'Top',
      value: crop.y,
      min: 0,
      max: source.height - CROP_MIN,
      next: (y) => ({ ...crop, y }),
    },
    {
      label: 'Width',
      value: crop.width,
      min: CROP_MIN,
      max: source.width,
      next: (width) => sized(crop, { width }, ratio),
    },
    {
      label: 'Height',
      value: crop.height,
      min: CROP_MIN,
      max: source.height,
      next: (height) => sized(crop, { height }, ratio),
    },
  ];
  return (
    <div className="crop-numbers">
      {fields.map(({ next, ...field }) => (
        <NumberField
          key={field.label}
          {...field}
          disabled={disabled}
          onCommit={(value) => onCommit(lockedIn(next(value), source, ratio))}
        />
      ))}
    </div>
  );
}

/** With a locked shape the other side follows. */
function sized(crop: Crop, change: Partial<Size>, ratio: number | null): Crop {
  const next = { ...crop, ...change };
  if (ratio !== null && change.width !== undefined) next.height = change.width / ratio;
  if (ratio !== null && change.height !== undefined) next.width = change.height * ratio;
  return next;
}

/** What the source has no room for is cut off, in the locked shape. */
function lockedIn(crop: Crop, source: Size, ratio: number | null): Crop {
  const snapped = snapCrop(crop, source);
  return ratio === null ? snapped : reshapeCrop(snapped, ratio, source);
}

function AspectChoice(props: {
  aspect: AspectName;
  disabled: boolean;
  onAspect: (name: AspectName) => void;
}) {
  return (
    <fieldset className="segments">
      <legend>Shape</legend>
      {ASPECTS.map(({ name, label }) => (
        <label key={name} data-chosen={name === props.aspect}>
          <input
            type="radio"
            name="aspect"
            value={name}
            checked={name === props.aspect}
            disabled={props.disabled}
            onChange={() => props.onAspect(name)}
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}
