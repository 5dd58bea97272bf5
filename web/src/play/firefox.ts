/** For what it alone does, and nothing tells before. */
export const isFirefox = (): boolean => navigator.userAgent.includes('Firefox/');
