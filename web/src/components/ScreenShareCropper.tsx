import { type KeyboardEvent, useId, useState, useSyncExternalStore } from 'react';
import { leftOf, wholeCrop } from '../publish/crop.ts';
import { HANDLES, reshapeCrop } from '../publish/crop-edit.ts';
import type { Deed } from '../publish/crop-history.ts';
import { type Crop, type Size, sameCrop } from '../publish/geometry.ts';
import type { ShareService } from '../services/AdminScreenShareService.ts';
import { cropWords } from '../words/crop.ts';
import { type AspectName, aspectOf, CropControls, labelOf } from './admin/CropControls.tsx';
import { PreviewCanvas } from './admin/PreviewCanvas.tsx';
import { useCropDrag } from './admin/useCropDrag.ts';
import { useCropHistory } from './admin/useCropHistory.ts';
import { cropKeys } from './admin/useCropKeys.ts';

export interface ScreenShareCropperProps {
  service: ShareService;
}

const NO_SOURCE: Size = { width: 1_920, height: 1_080 };

/** The live source with the crop on it, by pointer, by keyboard and in numbers. */
export function ScreenShareCropper({ service }: ScreenShareCropperProps) {
  const { crop, status } = useSyncExternalStore(service.subscribe, service.snapshot);
  const [previewed, setPreviewed] = useState<Size | null>(null);
  const [aspectName, setAspectName] = useState<AspectName>('free');
  const source = status?.source ?? previewed;
  const size = source ?? NO_SOURCE;
  const whole = wholeCrop(size);
  const left = crop === null ? whole : leftOf(crop, size);
  // Of a crop that lies outside nothing is shown, but the fields still say where it is.
  const shown = left ?? crop ?? whole;
  const aspect = aspectOf(aspectName, size);
  const history = useCropHistory({ crop, aspect: aspectName }, (next) => {
    setAspectName(next.aspect);
    service.setCrop(next.crop);
  });
  // What is as it was leaves the crop as it was meant, which may be more than is left of it.
  const cropOf = (next: Crop) =>
    sameCrop(next, shown) ? crop : sameCrop(next, whole) ? null : next;
  const commit = (next: Crop, deed: Deed, joins?: boolean) =>
    history.commit({ crop: cropOf(next), aspect: aspectName }, deed, joins);
  const reset = () => history.commit({ crop: null, aspect: 'free' }, { kind: 'reset' });
  const chooseAspect = (name: AspectName) => {
    const chosen = aspectOf(name, size);
    const next = chosen === null ? crop : cropOf(reshapeCrop(shown, chosen, size));
    history.commit({ crop: next, aspect: name }, { kind: 'shape', name: labelOf(name) });
  };
  return (
    <div className="cropper">
      <CropStage
        service={service}
        source={size}
        ready={source !== null}
        crop={shown}
        outside={left === null}
        aspect={aspect}
        onSource={setPreviewed}
        onFollow={(next) => history.follow(cropOf(next))}
        onCommit={commit}
        onCancel={history.cancel}
      />
      <CropControls
        crop={shown}
        source={size}
        disabled={source === null}
        cropped={crop !== null}
        aspect={aspectName}
        onAspect={chooseAspect}
        onCommit={commit}
        onReset={reset}
      />
      <p className="crop-said soft" role="status">
        {history.said}
      </p>
    </div>
  );
}

function CropStage(props: {
  service: ShareService;
  source: Size;
  ready: boolean;
  crop: Crop;
  /** The source has nothing of the crop: there is only a new one to be drawn. */
  outside: boolean;
  aspect: number | null;
  onSource: (source: Size) => void;
  onFollow: (crop: Crop) => void;
  onCommit: (crop: Crop, deed: Deed, joins?: boolean) => void;
  onCancel: () => void;
}) {
  const { service, source, crop, aspect, onFollow, onCommit, onCancel } = props;
  const help = useId();
  const { draft, handlers } = useCropDrag({
    source,
    crop,
    aspect,
    onFollow,
    onCommit,
    onCancel,
  });
  const sketch = draft?.slip === true ? draft.crop : null;
  const shown = draft === null || draft.slip ? crop : draft.crop;
  const onKeyDown = cropKeys({ crop, source, aspect, onCommit });
  return (
    <div className="stage-frame">
      <div className="stage" style={stageShape(source)}>
        <div className="stage-touch" data-dragging={draft !== null} {...(props.ready && handlers)}>
          <div className="stage-picture">
            <PreviewCanvas service={service} onSource={props.onSource} />
            {props.ready && <div className="crop-shade" style={percentages(shown, source)} />}
          </div>
          {props.ready && !props.outside && (
            <CropArea
              crop={shown}
              whole={sameCrop(shown, wholeCrop(source))}
              source={source}
              dragging={draft?.slip === false}
              help={help}
              onKeyDown={onKeyDown}
            />
          )}
          {sketch !== null && <div className="crop-sketch" style={percentages(sketch, source)} />}
        </div>
      </div>
      <span id={help} className="spoken">
        {cropWords().help}
      </span>
    </div>
  );
}

/** The crop itself: moved and resized with the keyboard, or by its grips. */
function CropArea(props: {
  crop: Crop;
  /** It is all of the picture, and has nowhere to be moved to: on it a new one is drawn. */
  whole: boolean;
  source: Size;
  dragging: boolean;
  help: string;
  onKeyDown: (event: KeyboardEvent) => void;
}) {
  const { crop, whole, source, dragging, help, onKeyDown } = props;
  return (
    <button
      type="button"
      className="crop-area"
      data-grip={whole ? 'draw' : 'move'}
      style={percentages(crop, source)}
      aria-label={cropWords().described(crop)}
      aria-describedby={help}
      onKeyDown={onKeyDown}
    >
      {HANDLES.map((handle) => (
        <span key={handle} className={`grip grip-${handle}`} data-grip={handle} />
      ))}
      {dragging && (
        <span className="crop-size numeric">
          {crop.width} × {crop.height}
        </span>
      )}
    </button>
  );
}

/** As wide as there is room, but never taller than most of the window. */
function stageShape({ width, height }: Size) {
  return { aspectRatio: `${width} / ${height}`, maxWidth: `calc(60vh * ${width / height})` };
}

function percentages(crop: Crop, source: Size) {
  const part = (value: number, whole: number) => `${(value / whole) * 100}%`;
  return {
    left: part(crop.x, source.width),
    top: part(crop.y, source.height),
    width: part(crop.width, source.width),
    height: part(crop.height, source.height),
  };
}
