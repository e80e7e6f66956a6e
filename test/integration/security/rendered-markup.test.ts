import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { zoneOf } from '../../../src/core/time-text.ts';
import { incidentMarkdown } from '../../../src/document/incident-markdown.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { timeline } from '../../support/store/incident-timeline.ts';
import { renderTemplate } from '../../support/monitoring/rendered-template.ts';
import { ACTING_TEXTS, actsIn } from '../../support/security/markup.ts';

/** The tags of the file's own headings and lists. */
const OWN_TAGS = /<\/?(?:h1|h2|ul|ol|li|p)>/gu;

function incidentAbout(text: string): string {
  const cause = causeOf('tls-intercepted', { summary: text, impact: text, remedy: [text], evidence: [text] });
  const [incident] = timeline().rounds(2, [cause]).state.incidents;
  if (incident === undefined) throw new Error('No incident was opened');
  const past = { incident, changes: [], omittedChanges: 0, complete: true };
  return incidentMarkdown(past, [], { site: text, zone: zoneOf('UTC'), publicUrl: null, now: 0 });
}

describeWhere([{ program: 'cmark-gfm' }], "an incident's file, rendered by GitHub's own program", () => {
  it.each(ACTING_TEXTS)('shows %s as text', (text) => {
    const extensions = ['table', 'strikethrough', 'autolink', 'tasklist'].flatMap((name) => ['-e', name]);
    const render = (input: string): string =>
      execFileSync('cmark-gfm', ['--unsafe', ...extensions], { input, encoding: 'utf8' });
    const html = render(incidentAbout(text));
    const content = html.replaceAll(/<code>.*?<\/code>/gsu, '').replaceAll(OWN_TAGS, '');
    expect(content).not.toMatch(/<\/?[a-z]/iu);
    const shown = content
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&');
    // GitHub searches the rendered text for mentions and references.
    expect(shown).not.toMatch(/@[a-z\d]|(?:#|\bGH-)\d/iu);
    // The summary, the impact, the evidence and the step display exactly this text.
    expect(shown.replaceAll('\u200B', '').split(text)).toHaveLength(6);
  });
});

describeWhere([{ program: 'amtool' }], "Alertmanager's templates for chats", () => {
  it.each(['slack', 'teams'] as const)('for %s escape all texts of an alert', async (medium) => {
    const times = { startsAt: '2026-11-24T13:00:00Z', endsAt: '2026-11-24T13:05:00Z' };
    for (const text of [...ACTING_TEXTS, ACTING_TEXTS.join('\n')]) {
      const annotations = { summary: text, headline: text, description: text, evidence: text, remedy: text };
      const alerts = [{ status: 'firing', labels: { subject: text }, annotations, ...times }];
      const labels = { groupLabels: {}, commonLabels: { site: text }, commonAnnotations: annotations };
      const data = JSON.stringify({ receiver: medium, status: 'firing', alerts, ...labels });
      for (const part of ['subject', 'text']) {
        const template = `{{ template "ftm-watch.${medium}.${part}" . }}`;
        const shown = (await renderTemplate(data, template, 'text')).replaceAll(
          /^\*\*(?:Evidence|What to do)\*\*$/gmu,
          '',
        );
        expect(shown).not.toBe('');
        expect(actsIn(medium, shown)).toEqual([]);
      }
    }
  });
});
