/** As a `ref` of what takes the place of something that had the focus, which would fall to the page else. */
export function focusNow(element: HTMLElement | null): void {
  element?.focus();
}
