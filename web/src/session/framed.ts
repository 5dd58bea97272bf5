/** Whether the page is in a frame of another one (PROTOCOL 7.3), where nobody sees its address. */
export function isFramed(): boolean {
  return parent !== window;
}
