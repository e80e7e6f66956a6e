import { describe, expect, test } from 'vitest';
import { createLineBudget, type LineBudget, type LineHolder } from '../../../src/logs/listen-tcp.ts';

const MOST = 100;

interface Bench {
  readonly budget: LineBudget;
  readonly cut: readonly string[];
  /** Somebody who holds nothing any more once it is cut. */
  readonly sender: (name: string, isKnown?: boolean) => LineHolder;
}

function bench(): Bench {
  const budget = createLineBudget(MOST);
  const cut: string[] = [];
  return {
    budget,
    cut,
    sender: (name, isKnown = false) => {
      const holder = {
        isKnown,
        cut: () => {
          cut.push(name);
          budget.hold(holder, 0);
        },
      };
      return holder;
    },
  };
}

describe('the budget of unfinished lines', () => {
  test('is for all together, to the last byte', () => {
    const { budget, cut, sender } = bench();
    const [first, second] = [sender('first'), sender('second')];
    budget.hold(first, 60);
    budget.hold(second, 40);
    expect(cut).toEqual([]);

    budget.hold(second, 41);

    expect(cut).toEqual(['first']);
  });

  test('knows what has ended, and what has grown', () => {
    const { budget, cut, sender } = bench();
    const [first, second] = [sender('first'), sender('second')];
    budget.hold(first, 90);
    budget.hold(first, 0);
    budget.hold(second, 50);
    budget.hold(second, 100);
    budget.hold(second, 30);
    budget.hold(first, 70);

    expect(cut).toEqual([]);
  });

  test('costs strangers their lines before anybody who is known', () => {
    const { budget, cut, sender } = bench();
    budget.hold(sender('appliance', true), 50);
    budget.hold(sender('stranger 1'), 25);
    budget.hold(sender('stranger 2'), 25);

    budget.hold(sender('relay', true), 40);

    expect(cut).toEqual(['stranger 1', 'stranger 2']);
  });

  test('costs those who are known theirs where there is nobody else', () => {
    const { budget, cut, sender } = bench();
    budget.hold(sender('appliance', true), 60);

    budget.hold(sender('relay', true), 60);

    expect(cut).toEqual(['appliance']);
  });

  test('goes by the line: one that has just begun another is the last', () => {
    const { budget, cut, sender } = bench();
    const [busy, slow] = [sender('busy'), sender('slow')];
    budget.hold(busy, 20);
    budget.hold(slow, 20);
    budget.hold(busy, 0);
    budget.hold(busy, 20);

    budget.hold(sender('greedy'), 70);

    expect(cut).toEqual(['slow']);
  });

  test('cuts whoever wants more than all of it', () => {
    const { budget, cut, sender } = bench();

    budget.hold(sender('greedy'), 101);

    expect(cut).toEqual(['greedy']);
  });
});
