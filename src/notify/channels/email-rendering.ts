import { type Block, blocksOf, headOf, type RemedyStep } from '../../engine/model.ts';
import { wrap } from '../../text/wrap.ts';
import { type Incident, INCIDENT_DEFAULTS } from '../../engine/incident/incident.ts';
import { spanText } from '../../core/time-text.ts';
import { counted } from '../../core/phrases.ts';
import type { Links, Tone } from '../message/notification-text.ts';

/** Of a line, with or without the indent of a section. */
const WIDTH = 76;

/** The message as plain text of short lines: what to do first, the small print last. */
export function emailContentText({ lead, links, sections, facts, commands }: EmailContent): string {
  return [
    ...partText(lead),
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
  return [section.title, ...partText(section).map((line) => `  ${line}`), ''];
}

function aligned(facts: readonly Fact[]): readonly string[] {
  const names = Math.max(0, ...facts.map(([name]) => name.length));
  return facts.flatMap(([name, value]) => wrapped(value, ' '.repeat(names + 2), `${name}:`.padEnd(names + 2)));
}

function partText(part: Part): readonly string[] {
  switch (part.kind) {
    case 'text':
      return part.lines.flatMap((line) => wrapped(line, ''));
    case 'steps':
      return part.lines.flatMap((line, index) => {
        const number = `${String(part.first + index)}.`;
        return [...wrapped(line.text, '   ', number.padEnd(3)), ...blocksOf(line).flatMap(blockText)];
      });
    case 'blocks':
      return part.lines.flatMap(blockText);
    case 'list':
      return part.lines.flatMap(itemText);
    case 'linked':
      return part.lines.flatMap(linkedText);
  }
}

/** The lines of a block are not wrapped: they are copied from the mail. */
function blockText(block: Block): readonly string[] {
  return [...wrapped(headOf(block), '   '), ...block.text.split('\n').map((line) => `     ${line}`)];
}

function itemText(line: string): readonly string[] {
  return wrapped(line, '  ', '- ');
}

function linkedText({ text, links }: LinkedLine): readonly string[] {
  return [...itemText(text), ...aligned(links).map((line) => `  ${line}`)];
}

/** @param first what stands before the first line, as wide as the indent */
function wrapped(text: string, indent: string, first: string = indent): readonly string[] {
  const lines = wrap(text.trim().replaceAll(/\s+/gu, ' '), WIDTH - indent.length);
  return lines.map((line, index) => `${index === 0 ? first : indent}${line}`);
}

/**
 * The message as HTML. Mail programs drop style sheets, so all style is inline; colours of text and background are the
 * reader's own, light or dark, and the one accent is readable on both.
 */
export function emailContentHtml({ subject, tone, lead, links, sections, facts, commands }: EmailContent): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">',
    `<title>${escapeHtml(subject)}</title></head>`,
    '<body style="margin:0;padding:16px;font-family:system-ui,-apple-system,\'Segoe ' +
      'UI\',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5">',
    `<div style="max-width:640px;border-left:4px solid ${ACCENTS[tone]};padding-left:16px">`,
    `<div style="font-size:18px;overflow-wrap:anywhere">${partHtml(lead)}</div>`,
    ...(links.length === 0 ? [] : [`<p style="margin:16px 0">${links.map(buttonHtml).join(' ')}</p>`]),
    ...sections.map(sectionHtml),
    '<table role="presentation" style="border-collapse:collapse;font-size:14px;margin-top:16px">' +
      `${facts.map(factHtml).join('')}</table>`,
    ...commands.map(sectionHtml),
    '</div></body></html>',
    '',
  ].join('\n');
}

const ACCENTS: Readonly<Record<EmailContent['tone'], string>> = {
  critical: '#d93a3a',
  warning: '#c27a00',
  good: '#2b9348',
  neutral: '#777777',
};

function sectionHtml(section: Section): string {
  return `<h2 style="font-size:16px;margin:16px 0 4px">${escapeHtml(section.title)}</h2>${partHtml(section)}`;
}

function partHtml(part: Part): string {
  switch (part.kind) {
    case 'text':
      return part.lines.map((line) => `<p style="margin:0 0 8px">${escapeHtml(line)}</p>`).join('');
    case 'steps':
      return listHtml(`ol start="${String(part.first)}"`, part.lines.map(stepHtml));
    case 'blocks':
      return part.lines.map(blockHtml).join('');
    case 'list':
      return listHtml('ul', part.lines.map(escapeHtml));
    case 'linked':
      return listHtml('ul', part.lines.map(linkedHtml));
  }
}

function stepHtml(step: RemedyStep): string {
  return escapeHtml(step.text) + blocksOf(step).map(blockHtml).join('');
}

/** A long line scrolls: a line break in it would be copied. */
function blockHtml(block: Block): string {
  return (
    `<p style="margin:4px 0 0;font-size:14px">${escapeHtml(headOf(block))}</p>` +
    '<pre style="margin:0 0 8px;padding:8px;border:1px solid #777777;font-size:13px;overflow-x:auto">' +
    `${escapeHtml(block.text)}</pre>`
  );
}

function listHtml(tag: string, items: readonly string[]): string {
  const list = items.map((item) => `<li style="margin:0 0 4px;overflow-wrap:anywhere">${item}</li>`).join('');
  return `<${tag} style="margin:0;padding-left:24px">${list}</${tag.slice(0, 2)}>`;
}

function linkedHtml({ text, links }: LinkedLine): string {
  return [escapeHtml(text), ...links.map(linkHtml)].join(' ');
}

function linkHtml([title, url]: Link): string {
  return `<a href="${escapeHtml(url)}">${escapeHtml(title)}</a>`;
}

/** Large enough for a thumb. */
function buttonHtml([title, url]: Link): string {
  const style = 'display:inline-block;padding:8px 16px;border:1px solid #777777;border-radius:4px';
  return `<a href="${escapeHtml(url)}" style="${style}">${escapeHtml(title)}</a>`;
}

function factHtml([name, value]: Fact): string {
  const cell = 'padding:2px 12px 2px 0;vertical-align:top;text-align:left';
  return (
    `<tr><th style="${cell};font-weight:600;white-space:nowrap">${escapeHtml(name)}</th><td ` +
    `style="${cell};overflow-wrap:anywhere">${escapeHtml(value)}</td></tr>`
  );
}

/** For text between tags and for attribute values in double quotes. */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => `&#${String(character.charCodeAt(0))};`);
}

/** What a mail says, before it is text or HTML. Its strings are plain text, and may quote strangers. */
export interface EmailContent {
  /** As in the headers: it stands in no text that is shown. */
  readonly subject: string;
  readonly tone: Tone;
  /** What is wrong. */
  readonly lead: Part;
  readonly links: readonly Link[];
  readonly sections: readonly Section[];
  readonly facts: readonly Fact[];
  /** Commands, which may be longer than all the rest: they come last. */
  readonly commands: readonly Section[];
}

type Part =
  | { readonly kind: 'text' | 'list'; readonly lines: readonly string[] }
  /** They are numbered. */
  | { readonly kind: 'steps'; readonly first: number; readonly lines: readonly RemedyStep[] }
  | { readonly kind: 'blocks'; readonly lines: readonly Block[] }
  /** A list whose lines have links of their own. */
  | { readonly kind: 'linked'; readonly lines: readonly LinkedLine[] };

export type Section = Part & { readonly title: string };

export interface LinkedLine {
  readonly text: string;
  readonly links: readonly Link[];
}

type Link = readonly [title: string, url: string];

export type Fact = readonly [name: string, value: string];

/** Without those that have nothing to say. */
export function spoken(sections: readonly Section[]): readonly Section[] {
  return sections.filter(({ lines }) => lines.length > 0);
}

export function linksOf({ page, runbook }: Links, pageTitle: string): readonly Link[] {
  return [
    ...(page === null ? [] : [[pageTitle, page] as const]),
    ...(runbook === null ? [] : [['Runbook', runbook] as const]),
  ];
}

export function commonFacts({ id, cause }: Incident, site: string): readonly Fact[] {
  return [
    ['Site', site],
    ['Cause', `${cause.id} (${cause.severity}, ${cause.confidence})`],
    ['Subject', cause.subject],
    ['Incident', id],
  ];
}

export function flapFacts({ returns, flapping, status, cause }: Incident): readonly Fact[] {
  const within = `within ${spanText(INCIDENT_DEFAULTS.flapping.within)}`;
  const count = returns.length === 0 ? [] : [`came back ${counted(returns.length, 'time')} ${within}`];
  const rule =
    flapping && status === 'open'
      ? [
          `${cause.subject} had more than ${String(INCIDENT_DEFAULTS.flapping.outages)} outages ${within}: this incident ` +
            `stays open until the fault has been gone for ${spanText(INCIDENT_DEFAULTS.flapping.quiet)}`,
        ]
      : [];
  const facts = [...count, ...rule];
  return facts.length === 0 ? [] : [['Flapping', facts.join('; ')]];
}
