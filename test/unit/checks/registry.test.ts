import { existsSync } from 'node:fs';
import { CAUSE_IDS, CHECKS, wordsOf } from '../../../src/checks/registry.ts';
import { describe, expect, test } from 'vitest';

import { fill } from '../../../src/engine/words/wording.ts';
import { partsOfStep } from '../../../src/web/page/remedy-step.ts';

const NOTHING_KNOWN = { subject: 'x:443', host: 'x', port: '443' };

/** Every step of every remedy that is told when these facts are known. */
function steps(facts: Parameters<typeof fill>[1]): readonly string[] {
  return CAUSE_IDS.map(wordsOf)
    .flatMap(({ remedy, productRemedy, anyProductRemedy, unclearPath, brokenPath, kinds }) => [
      ...remedy,
      ...Object.values(kinds ?? {}).flatMap((kind) => kind.remedy),
      ...Object.values(productRemedy ?? {}).flat(),
      ...(anyProductRemedy ?? []),
      ...(unclearPath?.remedy ?? []),
      ...(brokenPath?.remedy ?? []),
    ])
    .map((step) => fill(step, facts));
}

function commands(facts: Parameters<typeof fill>[1]): readonly (readonly string[])[] {
  return steps(facts)
    .flatMap(partsOfStep)
    .flatMap((part) => (part.kind === 'command' ? [part.lines] : []));
}

describe('the commands of the catalogue', () => {
  const KNOWN = {
    ...NOTHING_KNOWN,
    subject: 'mail.example:25',
    port: '8443',
    source: '10.0.0.5',
    address: '192.0.2.9',
    proxy: 'p:3128',
  };

  test.each([NOTHING_KNOWN, KNOWN])('hold no words that only a person understands, whatever is known', (facts) => {
    for (const line of commands({ ...facts, proxy: 'p:3128' }).flat())
      expect(line).not.toMatch(/[<>{}]|\b(?:the|its|of|this)\b/u);
  });

  test('take the address, the port and the mail server that are known', () => {
    const lines = commands(KNOWN).flat();
    expect(lines).toContain('diagnose firewall iprope lookup 10.0.0.5 50000 192.0.2.9 8443 6 INTERFACE');
    expect(lines).toContain("diagnose sniffer packet any 'host 192.0.2.9 and port 8443' 4");
    expect(lines).toContain('nc -v mail.example 25');
    expect(lines).toContain('openssl s_client -starttls smtp -connect mail.example:25');
    expect(commands({ ...KNOWN, subject: '[2001:db8::25]:25' }).flat()).toContain('nc -v 2001:db8::25 25');
    expect(commands({ ...KNOWN, security: 'tls' }).flat()).toContain('openssl s_client -connect mail.example:25');
  });

  test('name a source and a server in capitals when neither is known', () => {
    expect(commands(NOTHING_KNOWN).flat()).toContain(
      'diagnose firewall iprope lookup SOURCE-IP 50000 SERVER-IP 443 6 INTERFACE',
    );
    expect(commands({ ...NOTHING_KNOWN, subject: '<target>' }).flat()).toContain('nc -v HOST PORT');
  });

  test('move a policy where FortiOS knows the word: within "config firewall policy"', () => {
    const [moving] = commands(NOTHING_KNOWN).filter((lines) => lines.some((line) => line.startsWith('move ')));
    expect(moving).toEqual(['config firewall policy', 'move NEW-ID before INSPECTING-ID', 'end']);
  });
});

describe('wordsOf()', () => {
  test.each(CAUSE_IDS.map((id) => [id, wordsOf(id)] as const))(
    '%s can be told with nothing but its subject known',
    (_, entry) => {
      const { unclearPath, brokenPath } = entry;
      const instead = [unclearPath, brokenPath].flatMap((told) =>
        told === undefined ? [] : [told.summary, ...told.remedy],
      );
      const texts = [
        entry.summary,
        ...entry.remedy,
        ...instead,
        ...Object.values(entry.productRemedy ?? {}).flat(),
        ...(entry.anyProductRemedy ?? []),
        ...Object.values(entry.kinds ?? {}).flatMap((kind) => [kind.summary, ...kind.remedy]),
      ];
      for (const text of texts) {
        const told = fill(text, NOTHING_KNOWN);
        expect(told).not.toMatch(/\{[a-z]+\}/u);
        expect(told).toMatch(/[.?:"]$/u);
      }
      expect(entry.remedy.length).toBeGreaterThan(0);
    },
  );
});

describe('CHECKS', () => {
  const ids: readonly string[] = CHECKS.map(({ id }) => id);

  test.each(CHECKS)('$id names only checks that there are', ({ id, dependsOn, explainedBy, unknownWith = [] }) => {
    const others = ids.filter((other) => other !== id);
    expect(others).toEqual(expect.arrayContaining([...dependsOn, ...unknownWith, ...explainedBy.map(({ by }) => by)]));
  });

  test('have ids of their own, and so have their causes', () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(CAUSE_IDS).size).toBe(CAUSE_IDS.length);
  });

  test.each(CHECKS)('$id says of its causes only that they are parts of others of its own', ({ causes }) => {
    const wholes = Object.values(causes).flatMap(({ partOf }) => partOf ?? []);
    expect(Object.keys(causes)).toEqual(expect.arrayContaining(wholes));
  });

  test.each(CHECKS)('$id stands in the folder that is named after it', ({ id }) => {
    expect(existsSync(new URL(`../../../src/checks/${id}/check.ts`, import.meta.url))).toBe(true);
    expect(existsSync(new URL(`../../../src/checks/${id}/README.md`, import.meta.url))).toBe(true);
  });

  test('depend on what stands before them, so that it is judged first', () => {
    for (const [index, { dependsOn, explainedBy, judgedLast }] of CHECKS.entries()) {
      const known = judgedLast === true ? ids : ids.slice(0, index);
      expect(known).toEqual(expect.arrayContaining([...dependsOn, ...explainedBy.map(({ by }) => by)]));
    }
  });

  test('explain what FortiAuthenticator complains of wherever they are on the path', () => {
    const polling = CHECKS.filter(({ from }) => from === 'log').flatMap(({ explainedBy }) => explainedBy);
    const path = CHECKS.filter(({ onPath }) => onPath === true).map(({ id }) => id);
    expect(polling.map(({ by }) => by)).toEqual(expect.arrayContaining(path));
  });
});
