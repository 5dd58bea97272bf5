// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { LinkField } from './LinkField.tsx';

const LINK = 'https://relay.example/play#token=t';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function show(browser: object, link: string | null = LINK): HTMLInputElement {
  vi.stubGlobal('navigator', { languages: ['en'], ...browser });
  render(<LinkField label="Link" link={link} />);
  return screen.getByLabelText<HTMLInputElement>('Link');
}

const press = async (name: string) => {
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name }));
  });
};

it('says that it has copied, for a while', async () => {
  vi.useFakeTimers();
  const writeText = vi.fn(async () => undefined);
  show({ clipboard: { writeText } });
  await press('Copy');
  expect(writeText).toHaveBeenCalledWith(LINK);
  expect(screen.getByRole('status').textContent).toBe('The viewers’ link is in the clipboard.');
  await act(() => vi.advanceTimersByTimeAsync(4_000));
  expect(screen.getByRole('status').textContent).toBe('');
});

it.each([
  { what: 'refuses', browser: { clipboard: { writeText: () => Promise.reject(new Error('no')) } } },
  { what: 'has no clipboard', browser: {} },
])('selects the link where the browser $what', async ({ browser }) => {
  const field = show(browser);
  await press('Copy');
  expect(screen.getByRole('alert').textContent).toContain('does not let this page copy');
  expect(document.activeElement).toBe(field);
  expect([field.selectionStart, field.selectionEnd]).toEqual([0, LINK.length]);
});

it('hands the link to the system where there is a way, and minds no change of mind', async () => {
  const share = vi.fn<(data: ShareData) => Promise<void>>(async () => undefined);
  show({ share });
  await press('Share…');
  expect(share).toHaveBeenCalledWith({ title: 'Watch my screen', url: LINK });
  share.mockRejectedValueOnce(new DOMException('closed', 'AbortError'));
  await press('Share…');
  expect(screen.queryByRole('alert')).toBeNull();
  share.mockRejectedValueOnce(new DOMException('no', 'NotAllowedError'));
  await press('Share…');
  expect(screen.getByRole('alert').textContent).toContain('could not share the link');
});

it('offers nothing before there is a link, nor to a system that shares none', () => {
  const field = show({}, null);
  expect(field.placeholder).toBe('Waiting for the relay…');
  for (const button of screen.getAllByRole<HTMLButtonElement>('button')) {
    expect(button.disabled).toBe(true);
  }
  expect(screen.queryByRole('button', { name: 'Share…' })).toBeNull();
});
