import { useId, useState } from 'react';
import type { DeviceChoice } from '../../../publish/sound/choice.ts';
import { allowMicrophones, type MicrophoneRefusal } from '../../../services/microphones.ts';
import { soundWords } from '../../../words/sound.ts';
import { useMicrophones } from './useMicrophones.ts';

export interface MicrophoneChoiceProps {
  device: DeviceChoice | null;
  /** What the host says is the matter with it. */
  problem: string | null;
  onChoose: (device: DeviceChoice | null) => void;
}

/** Which microphone there is to be. The first one has the browser ask, in this window. */
export function MicrophoneChoice({ device, problem, onChoose }: MicrophoneChoiceProps) {
  const words = soundWords();
  const id = useId();
  const [{ allowed, devices }, look] = useMicrophones();
  const [refusal, setRefusal] = useState<MicrophoneRefusal | null>(null);
  const begin = async () => {
    const refused = await allowMicrophones();
    setRefusal(refused);
    if (refused !== null) return;
    const [first] = (await look()).devices;
    if (first === undefined) setRefusal('missing');
    else onChoose(first);
  };
  const said = refusal === null ? problem : words.problems[refusal];
  return (
    <div className="choice microphone-choice">
      {allowed || device !== null ? (
        <>
          <label htmlFor={id}>{words.microphone}</label>
          <select
            id={id}
            className="field"
            value={device?.id ?? NONE}
            onChange={({ target }) => onChoose(listed(devices, device, target.value))}
          >
            <option value={NONE}>{words.noMicrophone}</option>
            {offered(devices, device).map(({ id, label }, index) => (
              <option key={id} value={id}>
                {label === '' ? words.unnamed(index + 1) : label}
              </option>
            ))}
          </select>
        </>
      ) : (
        <button type="button" className="button" onClick={() => void begin()}>
          {words.useMicrophone}
        </button>
      )}
      {said !== null && (
        <p className="sound-warning" role="status">
          {said}
        </p>
      )}
    </div>
  );
}

/** No device has an id of this kind. */
const NONE = 'none';

/** What was chosen stays to be seen, though it is not there, or has another id by now. */
function offered(devices: readonly DeviceChoice[], device: DeviceChoice | null): DeviceChoice[] {
  const known = device === null || devices.some(({ id }) => id === device.id);
  return known ? [...devices] : [device, ...devices];
}

function listed(
  devices: readonly DeviceChoice[],
  device: DeviceChoice | null,
  id: string,
): DeviceChoice | null {
  return offered(devices, device).find((one) => one.id === id) ?? null;
}
