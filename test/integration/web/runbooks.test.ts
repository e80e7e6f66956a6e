import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CAUSE_IDS } from '../../../src/checks/registry.ts';
import { shippedRules } from '../../support/monitoring/alert-rules.ts';
import { runbookOf } from '../../../src/document/runbook.ts';
import { startWeb } from '../../support/web/web-bench.ts';

/** Returns the words that a person reads, without tags, step numbers and markup. */
function wordsOfHtml(html: string): readonly string[] {
  return words(
    (/<main>(.*)<\/main>/su.exec(html)?.[1] ?? '')
      .replaceAll(/<[^>]+>/gu, (tag) => (/^<\/?(?:code|a)\b/u.test(tag) ? '' : ' '))
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&'),
  );
}

function wordsOfMarkdown(text: string): readonly string[] {
  return words(
    text
      .replaceAll(/<!--.*?-->/gu, '')
      // Only the page labels shell commands. In the docs, the language of the block marks them.
      .replaceAll(/(?<!Undo:\n\n)^ *```sh$/gmu, 'Shell:')
      .replaceAll(/^ *```\w*$/gmu, '')
      .replaceAll(/^(?:#+|\d+\.|-) /gmu, '')
      .replaceAll(/<(http[^>]*)>/gu, '$1')
      .replaceAll(/(?<!\\)`/gu, '')
      // A link to another runbook, and one to a document that the daemon does not serve.
      .replaceAll(/\[([^\]]+)\]\([\w-]+\.md(?:#[\w-]+)?\)/gu, '$1')
      .replaceAll(/\[([\w-]+\.md)\]\([^)]+\)/gu, 'docs/$1')
      // A backslash before a letter is literal (CommonMark, "Backslash escapes").
      .replaceAll(/\\([^\p{L}])/gu, '$1'),
  );
}

function words(text: string): readonly string[] {
  // A colon introduces the text below. A folded block does not have one.
  return text.split(/\s+/u).flatMap((word) => (word === '' ? [] : [word.replace(/:$/u, '')]));
}

test('the runbook of every cause says what its page in the docs says', async () => {
  await using web = await startWeb();
  for (const id of CAUSE_IDS) {
    const response = await web.get(`/runbooks/${id}`);
    expect(response.status).toBe(200);
    const docs = wordsOfMarkdown(readFileSync(`docs/runbooks/${runbookOf(id).name}.md`, 'utf8'));
    expect(docs.length).toBeGreaterThan(20);
    expect(wordsOfHtml(await response.text())).toEqual(docs);
  }
});

test('the page of the alerts says what its page in the docs says, and has a heading for each alert', async () => {
  await using web = await startWeb();
  const response = await web.get('/runbooks/alerts');
  expect(response.status).toBe(200);
  const page = await response.text();
  expect(wordsOfHtml(page)).toEqual(wordsOfMarkdown(readFileSync('docs/runbooks/alerts.md', 'utf8')));
  const alerts = shippedRules().flatMap(({ annotations = {} }) => annotations['runbook']?.split('#')[1] ?? []);
  const headings = [...page.matchAll(/<h2 id="([^"]+)">/gu)].map(([, id]) => id);
  expect(headings.length).toBeGreaterThan(5);
  expect(new Set(headings)).toEqual(new Set(alerts));
  const causes = [...page.matchAll(/<a href="([a-z-]+)">/gu)].map(([, path = '']) => path);
  expect(causes.length).toBeGreaterThan(3);
  for (const path of causes) expect(await web.status(`/runbooks/${path}`)).toBe(200);
});

test('the procedures say what their page in the docs says, and every link to one leads to a heading', async () => {
  await using web = await startWeb();
  const response = await web.get('/runbooks/procedures');
  expect(response.status).toBe(200);
  const page = await response.text();
  expect(wordsOfHtml(page)).toEqual(wordsOfMarkdown(readFileSync('docs/runbooks/procedures.md', 'utf8')));
  const headings = [...page.matchAll(/<h2 id="([^"]+)">/gu)].map(([, id]) => id);
  const texts = await Promise.all(CAUSE_IDS.map(async (id) => (await web.get(`/runbooks/${id}`)).text()));
  const linked = new Set(
    texts.flatMap((text) => [...text.matchAll(/href="procedures#([^"]+)"/gu)].map(([, id]) => id)),
  );
  expect([...linked].filter((id) => !headings.includes(id))).toEqual([]);
  const common = ['silence-the-incident', 'check-the-repair', 'get-help', 'placeholders'];
  expect(headings.filter((id) => !linked.has(id))).toEqual(common);
});

test('asks for nothing but what is there, wherever a proxy puts it', async () => {
  await using web = await startWeb();
  const page = await web.text('/runbooks/tls-intercepted');
  const links = [...page.matchAll(/(?:src|href)="(?!https:)([^"#]+)[^"]*"/gu)].map(([, path]) => path ?? '');
  expect(new Set(links)).toEqual(
    new Set(['../static/icon-unknown.svg', '../static/style.css', '../', '../incidents', 'procedures']),
  );
  for (const link of links) expect(await web.status(`/runbooks/${link}`)).toBe(200);
  expect(page).not.toMatch(/<script|<form|<button/u);
});

test.each(['nonsense', '__proto__', 'constructor', 'tls-intercepted.md', '..%2f', '%00', ''])(
  'has none for "%s"',
  async (cause) => {
    await using web = await startWeb();
    const response = await web.get(`/runbooks/${cause}`);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/u);
  },
);

test('only shows: nothing can be sent to it', async () => {
  await using web = await startWeb();
  expect(await web.status('/runbooks/tls-intercepted', { method: 'POST' })).toBe(405);
});
