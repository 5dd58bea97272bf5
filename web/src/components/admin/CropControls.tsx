import { CROP_MIN } from '../../publish/crop.ts';
import { type CropField, typeCrop } from '../../publish/crop-edit.ts';
import type { Deed } from '../../publish/crop-history.ts';
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

/** What the panel calls a shape. */
export function labelOf(name: AspectName): string {
  return ASPECTS.find((one) => one.name === name)?.label ?? name;
}

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
  onCommit: (crop: Crop, deed: Deed) => void;
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

const FIELDS: readonly { field: CropField; label: string }[] = [
  { field: 'x', label: 'Left' },
  { field: 'y', label: 'Top' },
  { field: 'width', label: 'Width' },
  { field: 'height', label: 'Height' },
];

function CropNumbers({ crop, source, disabled, aspect, onCommit }: CropControlsProps) {
  const ratio = aspectOf(aspect, source);
  const bounds: Record<CropField, { min: number; max: number }> = {
    x: { min: 0, max: source.width - CROP_MIN },
    y: { min: 0, max: source.height - CROP_MIN },
    width: { min: CROP_MIN, max: source.width - crop.x },
    height: { min: CROP_MIN, max: source.height - crop.y },
  };
  return (
    <div className="crop-numbers">
      {FIELDS.map(({ field, label }) => (
        <NumberField
          key={field}
          label={label}
          value={crop[field]}
          {...bounds[field]}
          disabled={disabled}
          onCommit={(value) =>
            onCommit(typeCrop(crop, field, value, source, ratio), { kind: 'type', field: label })
          }
        />
      ))}
    </div>
  );
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
