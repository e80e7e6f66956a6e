import type { Block } from '../../../engine/remedy.ts';
import type { Fact, EmailContent, Section } from './email-content-parts.ts';

/**
 * The message as HTML. Mail programs drop style sheets, so all style is inline; colours of text and background are the
 * reader's own, light or dark, and the one accent is readable on both.
 */
export function emailContentHtml(content: EmailContent): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">',
    `<meta name="supported-color-schemes" content="light dark"><title>${escapeHtml(content.title)}</title></head>`,
    '<body style="margin:0;padding:16px;font-family:system-ui,-apple-system,\'Segoe ' +
      'UI\',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5">',
    `<div style="max-width:640px;border-left:4px solid ${ACCENTS[content.tone]};padding-left:16px">`,
    `<h1 style="font-size:20px;line-height:1.3;margin:0 0 8px">${escapeHtml(content.title)}</h1>`,
    `<p style="margin:0 0 16px">${escapeHtml(content.lead)}</p>`,
    ...content.sections.map(sectionHtml),
    '<table role="presentation" style="border-collapse:collapse;font-size:14px;margin-top:16px">' +
      `${content.facts.map(factHtml).join('')}</table>`,
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
  return `<h2 style="font-size:16px;margin:16px 0 4px">${escapeHtml(section.title)}</h2>${contentHtml(section)}`;
}

function contentHtml({ kind, lines, blocks = [] }: Section): string {
  switch (kind) {
    case 'text':
      return lines.map((line) => `<p style="margin:0 0 8px">${escapeHtml(line)}</p>`).join('');
    case 'steps':
      return listHtml(
        'ol',
        lines.map((line, index) => escapeHtml(line) + (blocks[index] ?? []).map(blockHtml).join('')),
      );
    case 'list':
      return listHtml('ul', lines.map(escapeHtml));
  }
}

function listHtml(tag: 'ol' | 'ul', items: readonly string[]): string {
  const list = items.map((item) => `<li style="margin:0 0 4px;overflow-wrap:anywhere">${item}</li>`).join('');
  return `<${tag} style="margin:0;padding-left:24px">${list}</${tag}>`;
}

/** A long line scrolls: a line break in it would be copied. */
function blockHtml({ label, text }: Block): string {
  return (
    `<p style="margin:4px 0 0;font-size:14px">${escapeHtml(label)}</p>` +
    '<pre style="margin:0 0 8px;padding:8px;border:1px solid #777777;font-size:13px;overflow-x:auto">' +
    `${escapeHtml(text)}</pre>`
  );
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
