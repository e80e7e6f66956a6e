import { type Block, blocksOf, headOf, type RemedyStep } from '../../../engine/remedy.ts';
import type { Fact, EmailContent, Link, LinkedLine, Part, Section } from './email-content-parts.ts';

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
