import { existsSync } from 'node:fs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { Declaration } from '../../../src/checks/check.ts';
import type { CauseWords } from '../../../src/engine/model.ts';
import { CAUSE_IDS, CHECKS, wordsOf } from '../../../src/checks/registry.ts';
import { textOfStep } from '../../support/checks/text-of-step.ts';
import { fill } from '../../../src/engine/remedy-words.ts';

const NOTHING_KNOWN = { subject: 'x:443', host: 'x', port: '443' };

describe('wordsOf()', () => {
  test.each(CAUSE_IDS.map((id) => [id, wordsOf(id)] as const))(
    '%s can be told with nothing but its subject known',
    (_, entry) => {
      const variants: readonly Partial<CauseWords>[] = entry.variants ?? [];
      const texts = [entry, ...variants].flatMap(({ summary = [], remedy = [] }) => [summary, remedy].flat());
      for (const text of texts) {
        const told = fill(textOfStep(text), NOTHING_KNOWN);
        expect(told).not.toMatch(/\{[a-z]+\}/u);
        expect(told).toMatch(/[.?:"]$/u);
      }
      expect(entry.remedy.length).toBeGreaterThan(0);
    },
  );
});

describe('CHECKS', () => {
  const ids: readonly string[] = CHECKS.map(({ id }) => id);

  test.each(CHECKS)('$id names only checks that there are', ({ id, dependsOn }) => {
    const others = ids.filter((other) => other !== id);
    expect(others).toEqual(expect.arrayContaining(dependsOn.map(({ by }) => by)));
  });

  test('declare whether they count for "ready", and have no critical cause if they only warn', () => {
    type Sample = Omit<Declaration & { readonly from: 'log'; readonly countsForReady: true }, 'countsForReady'>;
    expectTypeOf<Sample & { readonly countsForReady: true }>().toExtend<Declaration>();
    expectTypeOf<Sample>().not.toExtend<Declaration>();
    expectTypeOf<Sample & { readonly countsForReady: false }>().not.toExtend<Declaration>();
    type Warning = Readonly<Record<string, Omit<CauseWords, 'variants'> & { readonly severity: 'warning' }>>;
    expectTypeOf<Sample & { readonly countsForReady: false; readonly causes: Warning }>().toExtend<Declaration>();
  });

  test('have ids of their own, and so have their causes', () => {
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(CAUSE_IDS).size).toBe(CAUSE_IDS.length);
  });

  test.each(CHECKS)('$id stands in the folder that is named after it', ({ id }) => {
    expect(existsSync(new URL(`../../../src/checks/${id}/judge.ts`, import.meta.url))).toBe(true);
    expect(existsSync(new URL(`../../../src/checks/${id}/README.md`, import.meta.url))).toBe(true);
  });

  test('depend on one another without a circle', () => {
    const deeper = (id: string): readonly string[] =>
      CHECKS.filter((check) => check.id === id).flatMap(({ dependsOn }) =>
        dependsOn.flatMap(({ by }) => (by === id ? [by] : [by, ...deeper(by)])),
      );
    for (const id of ids) expect(deeper(id)).not.toContain(id);
  });

  test('explain what FortiAuthenticator complains of wherever they are on the path', () => {
    const polling = CHECKS.filter(({ sources }) => sources.includes('log')).flatMap(({ dependsOn }) => dependsOn);
    const path = CHECKS.filter(({ onPath }) => onPath === true).map(({ id }) => id);
    expect(polling.map(({ by }) => by)).toEqual(expect.arrayContaining(path));
  });
});
