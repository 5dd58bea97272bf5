/** A table's map to share: something worth looking at, that moves a little. */

import { pageScript } from '../src/script.ts';

export const MAP_SIZE = { width: 1280, height: 720 };

/** Covers the capture host's page with the map; `window.map.moving` lets the party walk. */
export function mapScript(): string {
  return pageScript([runMap, drawMap, drawHex], null, '/host');
}

interface MapScene {
  moving: boolean;
}

function runMap(): void {
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) return;
  const scene: MapScene = { moving: true };
  let step = 0;
  const tick = () => {
    if (scene.moving) {
      step += 1;
      drawMap(context, step);
    }
    requestAnimationFrame(tick);
  };
  const fit = () => {
    canvas.width = innerWidth;
    canvas.height = innerHeight;
    drawMap(context, step);
  };
  const show = () => {
    fit();
    addEventListener('resize', fit);
    canvas.style.cssText = 'position:fixed;inset:0;z-index:2147483647;pointer-events:none';
    document.documentElement.append(canvas);
    tick();
  };
  Object.defineProperty(window, 'map', { value: scene });
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', show);
  else show();
}

function drawMap(context: CanvasRenderingContext2D, step: number): void {
  const { width, height } = context.canvas;
  const size = 44;
  context.fillStyle = '#d9c79a';
  context.fillRect(0, 0, width, height);
  const columns = Math.ceil(width / (size * 1.5)) + 1;
  const rows = Math.ceil(height / (size * Math.sqrt(3))) + 1;
  for (let column = 0; column < columns; column += 1) {
    for (let row = 0; row < rows; row += 1) {
      const seed = Math.abs(Math.sin(column * 12.9 + row * 78.2) * 43758.5) % 1;
      const ground =
        seed < 0.24 ? '#7fa35f' : seed < 0.4 ? '#5f8f8a' : seed < 0.52 ? '#b59b6a' : '#cdb983';
      const x = column * size * 1.5;
      const y = (row + (column % 2) / 2) * size * Math.sqrt(3);
      drawHex(context, x, y, size, ground);
    }
  }
  context.fillStyle = '#3a2d1a';
  context.font = 'italic 34px "DejaVu Serif", serif';
  context.fillText('The Vale of Ember', 92, 84);
  context.font = 'italic 20px "DejaVu Serif", serif';
  for (const [name, x, y] of [
    ['Oldbridge', 330, 250],
    ['Crow Tower', 815, 190],
    ['Mirefen', 560, 520],
    ['Saltgate', 1010, 560],
  ] as const) {
    context.beginPath();
    context.arc(x - 14, y - 7, 6, 0, Math.PI * 2);
    context.fill();
    context.fillText(name, x, y);
  }
  const party = [
    ['#c0392b', 'A'],
    ['#2c6fbb', 'B'],
    ['#8e44ad', 'C'],
  ] as const;
  party.forEach(([colour, letter], at) => {
    const turn = step / 90 + at * 0.5;
    const x = 640 + Math.cos(turn) * (130 + at * 34);
    const y = 350 + Math.sin(turn) * (80 + at * 22);
    context.beginPath();
    context.arc(x, y, 20, 0, Math.PI * 2);
    context.fillStyle = colour;
    context.fill();
    context.lineWidth = 3;
    context.strokeStyle = '#fff';
    context.stroke();
    context.fillStyle = '#fff';
    context.font = 'bold 20px "DejaVu Sans", sans-serif';
    context.fillText(letter, x - 7, y + 7);
  });
}

function drawHex(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  size: number,
  fill: string,
): void {
  context.beginPath();
  for (let corner = 0; corner < 6; corner += 1) {
    const angle = (corner * Math.PI) / 3;
    context.lineTo(x + Math.cos(angle) * size, y + Math.sin(angle) * size);
  }
  context.closePath();
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = 1;
  context.strokeStyle = 'rgba(60, 45, 20, 0.35)';
  context.stroke();
}
