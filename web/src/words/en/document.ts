/** What the documents say before any script of theirs is there. */
export const document = {
  joining: 'Joining…',
  joiningTab: 'Joining · Steadycast',
  sharingTab: 'Steadycast sharing',
  captureTab: 'Steadycast capture',
  region: 'Broadcast',
  scriptsToWatch: 'This page needs JavaScript to show the broadcast.',
  scriptsToShare: 'This page needs JavaScript to share the screen.',
  claim: 'A shared screen that stays, whatever happens to the page that shares it.',
  invited: 'You were invited to watch',
  paste: 'Paste your link here',
  watch: 'Watch',
  toShare: 'Share your own screen',
};
