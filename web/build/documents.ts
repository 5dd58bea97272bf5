/** Words and the first scripts in the documents, in the place of what their sources name. */

import type { Plugin } from 'vite';
import { mark, translate } from '../src/document/scripts.ts';
import { THEME_KEY } from '../src/theme.ts';
import { documentWords } from '../src/words/documents.ts';
import { LANGUAGES } from '../src/words/language.ts';

/** `<p words>document.claim</p>`, `<input words-placeholder="document.paste" />`. */
const ELEMENT = /<(\w+)((?:"[^"]*"|[^">])*?\swords\b(?:"[^"]*"|[^">])*)>(\w+\.\w+(?=<\/))?/g;
const ATTRIBUTE = /\s+words-([\w-]+)="([^"]*)"/g;
/** `<p words-all>document.needed</p>`: where no script runs, nobody knows which language is wanted. */
const IN_ALL = /\s+words-all(?=\s|$)/;
const IN_ONE = /\s+words(?=\s|$)/;

type Words = Record<string, string>;

/** With what the tables have where the source names it. */
export function withWords(html: string): string {
  return html.replaceAll(ELEMENT, (_, tag: string, attributes: string, name = '') => {
    if (IN_ALL.test(attributes)) {
      return `<${tag}${attributes.replace(IN_ALL, '')}>${inAll(name)}`;
    }
    const others: Record<string, Words> = {};
    const first = (of: string, as: string) => {
      const [[, fallback] = ['en', ''], ...rest] = documentWords(of);
      for (const [language, words] of rest) {
        others[language] = { ...others[language], [as]: words };
      }
      return escaped(fallback);
    };
    const own = attributes
      .replaceAll(ATTRIBUTE, (_, as: string, of: string) => ` ${as}="${first(of, as)}"`)
      .replace(IN_ONE, '');
    const text = IN_ONE.test(attributes) ? first(name, 'text') : name;
    return `<${tag} data-words="${escaped(JSON.stringify(others))}"${own}>${text}`;
  });
}

function inAll(name: string): string {
  return documentWords(name)
    .map(([language, words]) => `<span lang="${language}">${escaped(words)}</span>`)
    .join(' ');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

const HEAD = `(${mark})(document.documentElement,${JSON.stringify(LANGUAGES)},navigator.languages,()=>localStorage.getItem("${THEME_KEY}"))`;
const END = `(${translate})(document)`;

export function documents(): Plugin {
  return {
    name: 'documents',
    transformIndexHtml: {
      order: 'pre',
      handler: (html) => ({
        html: withWords(html),
        tags: [
          { tag: 'script', children: HEAD, injectTo: 'head' },
          { tag: 'script', children: END, injectTo: 'body' },
        ],
      }),
    },
  };
}
