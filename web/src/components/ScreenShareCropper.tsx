import { type KeyboardEvent, type ReactNode, useId, useState, useSyncExternalStore } from 'react';
import { leftOf, wholeCrop } from '../publish/crop.ts';
import { HANDLES, reshapeCrop } from '../publish/crop-edit.ts';
import type { Deed } from '../publish/crop-history.ts';
import { type Crop, type Size, sameCrop } from '../publish/geometry.ts';
import type { ShareService } from '../services/AdminScreenShareService.ts';
import { cropWords } from '../words/crop.ts';
import { type AspectName, aspectOf, CropControls, labelOf } from './admin/CropControls.tsx';
import { PreviewCanvas } from './admin/PreviewCanvas.tsx';
import { StreamPicture } from './admin/StreamPicture.tsx';
import { useCropDrag } from './admin/useCropDrag.ts';
import { useCropHistory } from './admin/useCropHistory.ts';
import { cropKeys } from './admin/useCropKeys.ts';

/** What is cropped: the source of a share, or a stream that an app has captured itself. */
export type ScreenShareCropperProps = CropOfShare | CropOfStream;

export interface CropOfShare {
  service: ShareService;
  /** Told of every crop that is settled, in pixels of the source, which the service has by then; null: all of it. */
  onCropComplete?: ((crop: Crop | null) => void) | undefined;
}

export interface CropOfStream {
  /** Its picture is cropped; null: there is none yet. It stays its owner's. */
  stream: MediaStream | null;
  /** The crop in pixels of the picture; null: all of it. Left out: what was chosen here last. */
  value?: Crop | null | undefined;
  /** Told of every crop that is settled. */
  onCropComplete: (crop: Crop | null) => void;
}

const NO_SOURCE: Size = { width: 1_920, height: 1_080 };

/** The live source with the crop on it, by pointer, by keyboard and in numbers. */
export function ScreenShareCropper(props: ScreenShareCropperProps) {
  return 'service' in props ? <ShareCropper {...props} /> : <StreamCropper {...props} />;
}

function ShareCropper({ service, onCropComplete }: CropOfShare) {
  const { crop, status } = useSyncExternalStore(service.subscribe, service.snapshot);
  const [previewed, setPreviewed] = useState<Size | null>(null);
  return (
    <Cropper
      crop={crop}
      source={status?.source ?? previewed}
      picture={<PreviewCanvas service={service} onSource={setPreviewed} />}
      onFollow={(next) => service.setCrop(next)}
      onSettle={(next) => {
        service.setCrop(next);
        onCropComplete?.(next);
      }}
    />
  );
}

function StreamCropper({ stream, value, onCropComplete }: CropOfStream) {
  const [chosen, setChosen] = useState<Crop | null>(null);
  const [source, setSource] = useState<Size | null>(null);
  const [followed, setFollowed] = useState<{ crop: Crop | null } | null>(null);
  const settled = value === undefined ? chosen : value;
  return (
    <Cropper
      crop={followed === null ? settled : followed.crop}
      source={source}
      picture={<StreamPicture stream={stream} onSource={setSource} />}
      onFollow={(crop) => setFollowed({ crop })}
      onSettle={(next) => {
        setFollowed(null);
        setChosen(next);
        if (!sameCrop(next, settled)) onCropComplete(next);
      }}
    />
  );
}

interface CropperProps {
  crop: Crop | null;
  /** Null: not known yet, and there is nothing to be cropped. */
  source: Size | null;
  picture: ReactNode;
  /** While it is moved: what is shown is to follow it. */
  onFollow: (crop: Crop | null) => void;
  onSettle: (crop: Crop | null) => void;
}

function Cropper({ crop, source, picture, onFollow, onSettle }: CropperProps) {
  const [aspectName, setAspectName] = useState<AspectName>('free');
  const size = source ?? NO_SOURCE;
  const whole = wholeCrop(size);
  const left = crop === null ? whole : leftOf(crop, size);
  // Of a crop that lies outside nothing is shown, but the fields still say where it is.
  const shown = left ?? crop ?? whole;
  const aspect = aspectOf(aspectName, size);
  const history = useCropHistory(
    { crop, aspect: aspectName },
    {
      follow: onFollow,
      settle: (next) => {
        setAspectName(next.aspect);
        onSettle(next.crop);
      },
    },
  );
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
        picture={picture}
        source={size}
        ready={source !== null}
        crop={shown}
        outside={left === null}
        aspect={aspect}
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
  picture: ReactNode;
  source: Size;
  ready: boolean;
  crop: Crop;
  /** The source has nothing of the crop: there is only a new one to be drawn. */
  outside: boolean;
  aspect: number | null;
  onFollow: (crop: Crop) => void;
  onCommit: (crop: Crop, deed: Deed, joins?: boolean) => void;
  onCancel: () => void;
}) {
  const { picture, source, crop, aspect, onFollow, onCommit, onCancel } = props;
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
            {picture}
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
