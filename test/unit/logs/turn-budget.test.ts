import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createTurnBudget } from '../../../src/logs/listen-tcp.ts';

type Pausable = Parameters<ReturnType<typeof createTurnBudget>['add']>[0];

const MEBIBYTE = 1024 * 1024;
const ALL = { bytes: MEBIBYTE, time: 0 };
const HALF = { bytes: MEBIBYTE / 2, time: 0 };
const SLOW = { bytes: 1, time: 8 };

function streams(...names: readonly string[]): { readonly calls: string[]; readonly all: readonly Pausable[] } {
  const calls: string[] = [];
  const all = names.map((name) => ({
    pause: () => calls.push(`pause ${name}`),
    resume: () => calls.push(`resume ${name}`),
  }));
  return { calls, all };
}

describe('createTurnBudget', () => {
  test('lets streams go on until the share of the turn is used up, and all of them again in the next', async () => {
    const { calls, all } = streams('a', 'b');
    const budget = createTurnBudget();
    for (const stream of all) budget.add(stream);
    const [a, b] = [all[0], all[1]] as [Pausable, Pausable];
    budget.spend(a, HALF);
    expect(calls).toEqual([]);
    budget.spend(b, HALF);
    expect(calls.toSorted()).toEqual(['pause a', 'pause b']);
    await nextTurn();
    expect(calls.slice(2).toSorted()).toEqual(['resume a', 'resume b']);
  });

  test('lets streams wait for the next turn when their lines took long', () => {
    const { calls, all } = streams('a');
    const budget = createTurnBudget();
    const [a] = all as [Pausable];
    budget.add(a);
    budget.spend(a, SLOW);
    expect(calls).toEqual(['pause a']);
  });

  test('begins each turn with a fresh share', async () => {
    const { calls, all } = streams('a');
    const budget = createTurnBudget();
    const [a] = all as [Pausable];
    budget.add(a);
    for (let turn = 0; turn < 5; turn += 1) {
      budget.spend(a, HALF);
      await nextTurn();
    }
    expect(calls).toEqual([]);
  });

  test('resumes first who was served least recently, and lets newcomers wait too', async () => {
    const { calls, all } = streams('a', 'b', 'c');
    const [a, b, c] = all as [Pausable, Pausable, Pausable];
    const budget = createTurnBudget();
    budget.add(a);
    budget.add(b);
    budget.spend(a, ALL);
    budget.add(c);
    expect(calls).toEqual(['pause b', 'pause a', 'pause c']);
    budget.remove(c);
    await nextTurn();
    expect(calls.slice(3)).toEqual(['resume b', 'resume a']);
  });
});
