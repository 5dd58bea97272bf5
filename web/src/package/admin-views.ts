/** What admins see, in one part that is fetched with the first of its elements. */

export { CaptureView } from './CaptureView.tsx';
export { OpenedPanel } from './OpenedPanel.tsx';
