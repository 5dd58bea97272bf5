/** The pages' styles as those of a package: for what is within `.steadycast`, and nothing else. */

import type { AtRule, Plugin as PostcssPlugin, Rule } from 'postcss';

const SCOPE = '.steadycast';
/** What the page that the components are in decides for itself. */
const OF_THE_PAGE = new Set(['color-scheme', 'min-height', 'margin']);
const ANIMATED = /^animation(-name)?$/;

export function scopedStyles(): PostcssPlugin {
  return {
    postcssPlugin: 'scoped-styles',
    Once(root) {
      const names = new Set<string>();
      root.walkAtRules('keyframes', (keyframes) => {
        names.add(keyframes.params);
        keyframes.params = `steadycast-${keyframes.params}`;
      });
      root.walkDecls(ANIMATED, (declaration) => {
        declaration.value = declaration.value.replace(/[\w-]+/g, (word) =>
          names.has(word) ? `steadycast-${word}` : word,
        );
      });
      root.walkRules((rule) => {
        if (!isStep(rule)) scope(rule);
      });
    },
  };
}

/** `from`, `to`, `50%`. */
function isStep({ parent }: Rule): boolean {
  return parent?.type === 'atrule' && (parent as AtRule).name === 'keyframes';
}

function scope(rule: Rule): void {
  const { selector } = rule;
  if (selector.startsWith(':host')) return;
  // Light and dark are the page's, as is all that html and its attributes are for.
  if (selector === 'html' || selector.startsWith(':root[')) {
    rule.remove();
    return;
  }
  if (selector === ':root' || selector === 'body') {
    rule.selector = SCOPE;
    rule.walkDecls((declaration) => {
      const { prop, value } = declaration;
      if (OF_THE_PAGE.has(prop)) declaration.remove();
      else if (selector === ':root')
        declaration.value = `var(--steadycast-${prop.slice(2)}, ${value})`;
    });
    return;
  }
  rule.selectors = rule.selectors.map((one) => `${SCOPE} ${one}`);
}
