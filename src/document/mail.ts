import { type Block, blocksOf, headOf, type RemedyStep } from '../engine/model.ts';
import { wrap } from '../text/wrap.ts';
import {
  type Fact,
  foldedList,
  isLinked,
  type Link,
  type LinkedLine,
  type Paragraph,
  type Part,
  plainText,
  type Section,
} from './document.ts';
import type { Tone } from './notification.ts';

/** Line width, including the indentation. */
const WIDTH = 76;

export function mailText({ lead, links, sections, facts, commands }: MailDocument): string {
  return [
    ...lead.flatMap((line) => wrapped(line, '')),
    '',
    ...(links.length === 0 ? [] : [...aligned(links), '']),
    ...sections.flatMap(sectionText),
    ...aligned(facts),
    '',
    ...commands.flatMap(sectionText),
    '-- ',
    'ftm-watch',
    '',
  ].join('\n');
}

function sectionText(section: Section): readonly string[] {
  return [section.title, ...section.parts.flatMap(partText).map((line) => `  ${line}`), ''];
}

function aligned(facts: readonly Fact[]): readonly string[] {
  const names = Math.max(0, ...facts.map(([name]) => name.length));
  return facts.flatMap(([name, value]) =>
    wrapped(plainText(value), ' '.repeat(names + 2), `${name}:`.padEnd(names + 2)),
  );
}

function partText(part: Part): readonly string[] {
  switch (part.kind) {
    case 'text':
      return part.lines.flatMap((line) => wrapped(plainText(line), ''));
    case 'list':
      return foldedItems(part).flatMap((line) => (isLinked(line) ? linkedText(line) : itemText(plainText(line))));
    case 'steps':
      return part.lines.flatMap((step, index) => [
        ...wrapped(step.text, '   ', `${String(index + 1)}.`.padEnd(3)),
        ...blocksOf(step).flatMap(blockText),
      ]);
    case 'commands':
      return part.lines.flatMap(blockText);
    case 'facts':
      return aligned(part.lines);
    case 'table':
      return part.lines.flatMap(({ cells }) => itemText(rowText(cells)));
  }
}

function rowText(cells: readonly Paragraph[]): string {
  return cells.map(plainText).join(': ');
}

function foldedItems(list: Extract<Part, { readonly kind: 'list' }>): readonly (Paragraph | LinkedLine)[] {
  const { first, rest } = foldedList(list);
  return rest.length === 0
    ? first
    : [...first, `… and ${String(rest.length)} more: see the incident or "ftm-watch check".`];
}

/** The lines are not wrapped, because readers copy them. */
function blockText(block: Block): readonly string[] {
  return [...wrapped(headOf(block), '   '), ...block.text.split('\n').map((line) => `     ${line}`)];
}

function itemText(line: string): readonly string[] {
  return wrapped(line, '  ', '- ');
}

function linkedText({ text, links }: LinkedLine): readonly string[] {
  return [...itemText(text), ...aligned(links).map((line) => `  ${line}`)];
}

function wrapped(text: string, indent: string, first: string = indent): readonly string[] {
  return wrap(text.trim().replaceAll(/\s+/gu, ' '), WIDTH, indent, first);
}

/**
 * All styles are inline, because mail programs remove style sheets. Text and background keep the mail program's own
 * colours, light or dark. The accent colours are readable on both.
 */
export function mailHtml({ subject, tone, lead, links, sections, facts, commands }: MailDocument): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">',
    `<title>${escapeHtml(subject)}</title></head>`,
    '<body style="margin:0;padding:16px;font-family:system-ui,-apple-system,\'Segoe ' +
      'UI\',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5">',
    `<div style="max-width:640px;border-left:4px solid ${ACCENTS[tone]};padding-left:16px">`,
    `<div style="font-size:18px;overflow-wrap:anywhere">${partHtml({ kind: 'text', lines: lead })}</div>`,
    ...(links.length === 0 ? [] : [`<p style="margin:16px 0">${links.map(buttonHtml).join(' ')}</p>`]),
    ...sections.map(sectionHtml),
    tableHtml(facts),
    ...commands.map(sectionHtml),
    '</div></body></html>',
    '',
  ].join('\n');
}

const ACCENTS: Readonly<Record<MailDocument['tone'], string>> = {
  critical: '#d93a3a',
  warning: '#c27a00',
  good: '#2b9348',
  neutral: '#777777',
};

function sectionHtml(section: Section): string {
  return (
    '<h2 style="font-size:16px;margin:16px 0 ' +
    `4px">${escapeHtml(section.title)}</h2>${section.parts.map(partHtml).join('')}`
  );
}

function partHtml(part: Part): string {
  switch (part.kind) {
    case 'text':
      return part.lines.map((line) => `<p style="margin:0 0 8px">${escapeHtml(plainText(line))}</p>`).join('');
    case 'list':
      return listHtml(
        'ul',
        foldedItems(part).map((line) => (isLinked(line) ? linkedHtml(line) : escapeHtml(plainText(line)))),
      );
    case 'steps':
      return listHtml('ol', part.lines.map(stepHtml));
    case 'commands':
      return part.lines.map(blockHtml).join('');
    case 'facts':
      return tableHtml(part.lines);
    case 'table':
      return listHtml(
        'ul',
        part.lines.map(({ cells }) => escapeHtml(rowText(cells))),
      );
  }
}

function stepHtml(step: RemedyStep): string {
  return escapeHtml(step.text) + blocksOf(step).map(blockHtml).join('');
}

/** Long lines can be scrolled. If they were wrapped, readers would copy the line breaks. */
function blockHtml(block: Block): string {
  return (
    `<p style="margin:4px 0 0;font-size:14px">${escapeHtml(headOf(block))}</p>` +
    '<pre style="margin:0 0 8px;padding:8px;border:1px solid #777777;font-size:13px;overflow-x:auto">' +
    `${escapeHtml(block.text)}</pre>`
  );
}

function listHtml(tag: 'ol' | 'ul', items: readonly string[]): string {
  const list = items.map((item) => `<li style="margin:0 0 4px;overflow-wrap:anywhere">${item}</li>`).join('');
  return `<${tag} style="margin:0;padding-left:24px">${list}</${tag}>`;
}

function linkedHtml({ text, links }: LinkedLine): string {
  return [escapeHtml(text), ...links.map(linkHtml)].join(' ');
}

function linkHtml([title, url]: Link): string {
  return `<a href="${escapeHtml(url)}">${escapeHtml(title)}</a>`;
}

/** Large enough to tap on a phone. */
function buttonHtml([title, url]: Link): string {
  const style = 'display:inline-block;padding:8px 16px;border:1px solid #777777;border-radius:4px';
  return `<a href="${escapeHtml(url)}" style="${style}">${escapeHtml(title)}</a>`;
}

function tableHtml(facts: readonly Fact[]): string {
  return (
    '<table role="presentation" style="border-collapse:collapse;font-size:14px;margin-top:16px">' +
    `${facts.map(factHtml).join('')}</table>`
  );
}

function factHtml([name, value]: Fact): string {
  const cell = 'padding:2px 12px 2px 0;vertical-align:top;text-align:left';
  return (
    `<tr><th style="${cell};font-weight:600;white-space:nowrap">${escapeHtml(name)}</th><td ` +
    `style="${cell};overflow-wrap:anywhere">${escapeHtml(plainText(value))}</td></tr>`
  );
}

/** For text between tags and in double-quoted attributes. */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => `&#${String(character.charCodeAt(0))};`);
}

/** Strings are plain text and may quote untrusted input. */
export interface MailDocument {
  readonly subject: string;
  readonly tone: Tone;
  readonly lead: readonly string[];
  readonly links: readonly Link[];
  readonly sections: readonly Section[];
  readonly facts: readonly Fact[];
  /** Shown last, because they can be longer than the rest of the mail. */
  readonly commands: readonly Section[];
}
