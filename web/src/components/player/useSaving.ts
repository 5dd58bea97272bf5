import { useCallback } from 'react';
import type { Surface } from '../../play/playback.ts';
import type { Size } from './view.ts';
import { fileName } from './words.ts';

/** Saves the picture as it is now, all of it and in its own size, to a file. `size`: null: there is none yet. */
export function useSaving(surface: () => Surface | null, size: Size | null, title: string | null) {
  const toggle = useCallback(() => {
    const picture = surface();
    if (picture !== null && size !== null) save(picture, size, fileName(title, new Date()));
  }, [surface, size, title]);
  return { active: false, toggle, available: size !== null };
}

function save(picture: Surface, { width, height }: Size, name: string): void {
  const isVideo = picture instanceof HTMLVideoElement;
  const sheet = document.createElement('canvas');
  // A canvas that a worker draws on does not say its size everywhere.
  sheet.width = isVideo ? picture.videoWidth : width;
  sheet.height = isVideo ? picture.videoHeight : height;
  sheet.getContext('2d')?.drawImage(picture, 0, 0, sheet.width, sheet.height);
  sheet.toBlob((blob) => {
    if (blob === null) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    // Some browsers read it only after the click.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
}
