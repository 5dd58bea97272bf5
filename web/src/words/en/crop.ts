export interface Crop {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The crop: its shape and numbers, and what was done to it. */
export const crop = {
  legend: 'Crop',
  shape: 'Shape',
  shapes: { free: 'Free', wide: '16:9', classic: '4:3', square: '1:1', original: 'Original' },
  fields: { x: 'Left', y: 'Top', width: 'Width', height: 'Height' },
  reset: 'Reset crop',
  help: 'Arrow keys move the crop, Shift and arrow keys resize it, with Ctrl in small steps. Ctrl and Z undo a change. Escape cancels a drag.',
  described: ({ x, y, width, height }: Crop) =>
    `Crop: ${width} by ${height} pixels, ${x} from the left, ${y} from the top`,
  undone: (deed: string, now: string) => `Undone: ${deed}. ${now}`,
  redone: (deed: string, now: string) => `Redone: ${deed}. ${now}`,
  wholeAgain: 'The whole picture is shared again.',
  again: ({ x, y, width, height }: Crop) =>
    `The crop is ${width} × ${height} again, ${x} from the left and ${y} from the top.`,
  deeds: {
    draw: 'drawing a new crop',
    move: 'moving the crop',
    resize: 'resizing the crop',
    reset: 'resetting the crop',
    type: (field: string) => `typing the number ${field}`,
    shape: (name: string) => `choosing the shape ${name}`,
  },
};
