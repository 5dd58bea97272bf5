import type { ReactNode } from 'react';

function Icon({ children }: { children: ReactNode }) {
  return (
    <svg className="player-icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export function FullscreenIcon({ active }: { active: boolean }) {
  return (
    <Icon>
      {active ? (
        <path d="M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5" />
      ) : (
        <path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5" />
      )}
    </Icon>
  );
}

export function PictureInPictureIcon() {
  return (
    <Icon>
      <path d="M20 11V5H4v13h6" />
      <rect x="13" y="14" width="8" height="6" rx="1" />
    </Icon>
  );
}

export function FitIcon({ fill }: { fill: boolean }) {
  return (
    <Icon>
      <rect x="3" y="5" width="18" height="14" rx="2" />
      {fill ? (
        <path d="M7 12h10M9.500 9.500 7 12l2.500 2.500M14.500 9.500 17 12l-2.500 2.500" />
      ) : (
        <rect x="8" y="8" width="8" height="8" rx="1" />
      )}
    </Icon>
  );
}

export function LockIcon() {
  return (
    <Icon>
      <rect x="5" y="11" width="14" height="9" rx="2" />
      <path d="M8 11V8a4 4 0 0 1 8 0v3" />
    </Icon>
  );
}

export function DetailsIcon() {
  return (
    <Icon>
      <path d="M5 19v-6M12 19V5M19 19v-9" />
    </Icon>
  );
}

/** A camera. */
export function SaveIcon() {
  return (
    <Icon>
      <path d="M4 8h4l2-3h4l2 3h4v11H4z" />
      <circle cx="12" cy="13" r="3.5" />
    </Icon>
  );
}

export function CloseIcon() {
  return (
    <Icon>
      <path d="M7 7l10 10M17 7 7 17" />
    </Icon>
  );
}

export function SmoothIcon() {
  return (
    <Icon>
      <path d="M3 12c3-7 6-7 9 0s6 7 9 0" />
    </Icon>
  );
}

export function PlayIcon() {
  return (
    <Icon>
      <path d="M8 5v14l11-7z" />
    </Icon>
  );
}

/** `loudness`: 0 to 1; at 0 it is struck out. */
export function SpeakerIcon({ loudness }: { loudness: number }) {
  return (
    <Icon>
      <path d="M4 9.500v5h3.500L12 18.500v-13L7.500 9.500z" />
      {loudness === 0 && <path d="M16 9.500l5 5M21 9.500l-5 5" />}
      {loudness > 0 && <path d="M15.500 9.200a4 4 0 0 1 0 5.600" />}
      {loudness > 0.5 && <path d="M18.200 6.500a8 8 0 0 1 0 11" />}
    </Icon>
  );
}
