import { CROP_MIN } from '../../publish/crop.ts';
import { type CropField, typeCrop } from '../../publish/crop-edit.ts';
import type { Deed } from '../../publish/crop-history.ts';
import type { Crop, Size } from '../../publish/geometry.ts';
import { cropWords } from '../../words/crop.ts';
import { NumberField } from './NumberField.tsx';

const ASPECTS = ['free', 'wide', 'classic', 'square', 'original'] as const;

export type AspectName = (typeof ASPECTS)[number];

/** What the panel calls a shape. */
export function labelOf(name: AspectName): string {
  return cropWords().shapes[name];
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
  const words = cropWords();
  return (
    <fieldset className="crop-controls" disabled={disabled}>
      <legend className="spoken">{words.legend}</legend>
      <CropNumbers {...props} />
      <div className="crop-shape">
        <AspectChoice aspect={props.aspect} disabled={disabled} onAspect={props.onAspect} />
        <button
          type="button"
          className="button"
          disabled={disabled || !props.cropped}
          onClick={props.onReset}
        >
          {words.reset}
        </button>
      </div>
    </fieldset>
  );
}

const FIELDS: readonly CropField[] = ['x', 'y', 'width', 'height'];

function CropNumbers({ crop, source, disabled, aspect, onCommit }: CropControlsProps) {
  const ratio = aspectOf(aspect, source);
  const { fields } = cropWords();
  const bounds: Record<CropField, { min: number; max: number }> = {
    x: { min: 0, max: source.width - CROP_MIN },
    y: { min: 0, max: source.height - CROP_MIN },
    width: { min: CROP_MIN, max: source.width - crop.x },
    height: { min: CROP_MIN, max: source.height - crop.y },
  };
  return (
    <div className="crop-numbers">
      {FIELDS.map((field) => (
        <NumberField
          key={field}
          label={fields[field]}
          value={crop[field]}
          {...bounds[field]}
          disabled={disabled}
          onCommit={(value) =>
            onCommit(typeCrop(crop, field, value, source, ratio), {
              kind: 'type',
              field: fields[field],
            })
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
  const words = cropWords();
  return (
    <fieldset className="segments">
      <legend>{words.shape}</legend>
      {ASPECTS.map((name) => (
        <label key={name} data-chosen={name === props.aspect}>
          <input
            type="radio"
            name="aspect"
            value={name}
            checked={name === props.aspect}
            disabled={props.disabled}
            onChange={() => props.onAspect(name)}
          />
          {words.shapes[name]}
        </label>
      ))}
    </fieldset>
  );
}
