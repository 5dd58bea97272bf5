/** The page of settings, made from the commented default file, which the relay itself prints. */

interface Setting {
  section: string;
  key: string;
  value: string;
  does: string;
  takes: string;
}

interface Section {
  name: string;
  about: string;
  settings: Setting[];
}

/** The page in Markdown. Throws where a line of the file is none that is known. */
export function settingsPage(toml: string): string {
  const sections = read(toml);
  const found = sections.reduce((count, { settings }) => count + settings.length, 0);
  const promised = toml.split('\n').filter((line) => /^#?\w+ = /.test(line)).length;
  if (found !== promised) throw new Error(`${promised} settings in the file, ${found} on the page`);
  return `${HEAD}${sections.map(chapter).join('\n')}`;
}

const HEAD = `---
outline: [2, 2]
---

# Settings

This page is made from the relay's own table of settings. \`steadycast config\` prints the same as a commented
file, in which every line shows the default: an empty file means the same as no file.

A setting stands in the file, in the environment or on the command line. A flag beats the environment, and the
environment beats the file:

\`\`\`sh
steadycast serve --config /etc/steadycast/steadycast.toml
STEADYCAST_LIMITS_SESSIONS=500 steadycast serve --config /etc/steadycast/steadycast.toml
steadycast serve --config /etc/steadycast/steadycast.toml --limits-sessions 500
\`\`\`

The file may also be named by \`STEADYCAST_CONFIG\`. In flags and in the environment a list is written with commas
between its parts. A setting that is not known, or whose value cannot be understood, is named and refused: the relay
does not start, and exits with 2.

A certificate is needed to start (\`server.tls_cert\` and \`server.tls_key\`, or \`acme.domains\`), unless \`--dev\` has the relay make one. All
other settings may stay as they are. Changes take effect at the next start, and where a setting says *SIGHUP* with
[that signal](operate.md#settings-that-change-while-it-runs) as well; the certificate's files are read again when they change.

`;

function read(toml: string): Section[] {
  const sections: Section[] = [];
  let comment: string[] = [];
  for (const line of toml.split('\n')) {
    const section = /^\[(\w+)\]$/.exec(line)?.[1];
    const [, key, value] = /^#?(\w+) = (.+)$/.exec(line) ?? [];
    const last = sections.at(-1);
    if (line === '') {
      // What is followed by nothing is the file's own head.
      comment = [];
    } else if (section !== undefined) {
      sections.push({ name: section, about: comment.join(' '), settings: [] });
      comment = [];
    } else if (key !== undefined && value !== undefined && last !== undefined) {
      last.settings.push(setting(last.name, key, value, comment.join(' ')));
      comment = [];
    } else if (line.startsWith('#')) {
      comment.push(line.slice(1).trim());
    } else {
      throw new Error(`a line that is none of the default file: ${line}`);
    }
  }
  return sections;
}

function setting(section: string, key: string, value: string, comment: string): Setting {
  const takes = comment.lastIndexOf('Takes ');
  if (takes < 0) throw new Error(`${section}.${key} does not say what it takes`);
  return { section, key, value, does: comment.slice(0, takes).trim(), takes: comment.slice(takes) };
}

function chapter({ name, about, settings }: Section): string {
  return `## ${name}

${escaped(about)}

| key, flag, environment variable | default | what it does |
|---|---|---|
${settings.map(row).join('\n')}
`;
}

function row({ section, key, value, does, takes }: Setting): string {
  const flag = `--${section}-${key.replaceAll('_', '-')}`;
  const variable = `STEADYCAST_${section}_${key}`.toUpperCase();
  const id = `${section}-${key}`.replaceAll('_', '-');
  const names = [`${section}.${key}`, flag, variable].map(code).join('<br>');
  const cells = [
    `<span id="${id}">${names}</span>`,
    value === '""' || value === '[]' ? '(none)' : `\`${value}\``,
    `${escaped(does)}<br><small>${escaped(takes)}</small>`,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** A name, which may go on in the next line where there is little room. */
function code(name: string): string {
  return `<code>${name.replace(/[._](?=\w)|-(?=\w)/g, '$&<wbr>')}</code>`;
}

/** Text that Markdown takes as it is. */
function escaped(text: string): string {
  return text.replace(/[\\`*_[\]<>|{}]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
