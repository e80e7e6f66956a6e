import { type CapturedChain, chainKey } from '../../core/certificate.ts';
import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import type { OpensslWord } from '../../core/observation.ts';

/** What OpenSSL said of the chains of one target: it is asked once for each, by a connection of its own. */
export interface OpensslWords {
  /** Null: nothing was heard. */
  of(chain: CapturedChain): OpensslWord | null;
  /** Whether it is worth asking about. */
  isOpen(chain: CapturedChain): boolean;
  /** Whether to ask now; counts as asked. */
  take(chain: CapturedChain): boolean;
  keep(chain: CapturedChain, word: OpensslWord): void;
}

/**
 * Where the answer does not come (the handshake does not end), or another node answers, once more; then our own rules
 * decide.
 */
const MOST_TRIES = 2;
const MOST_AN_HOUR = 8;
const HOUR: Millis = 3_600_000;
const MOST_CHAINS = 256;

export function createOpensslWords({ now }: Pick<Clock, 'now'>): OpensslWords {
  const known = new Map<string, { tries: number; word: OpensslWord | null }>();
  let asked: readonly EpochMs[] = [];

  function entry(chain: CapturedChain): { tries: number; word: OpensslWord | null } {
    const key = chainKey(chain.certificates);
    const found = known.get(key) ?? { tries: 0, word: null };
    // Put back in as the youngest: who shows new chains all the time does not push out the one that is seen in between.
    known.delete(key);
    known.set(key, found);
    const [oldest = ''] = known.keys();
    if (known.size > MOST_CHAINS) known.delete(oldest);
    return found;
  }

  function isOpen(chain: CapturedChain): boolean {
    const { word, tries } = entry(chain);
    return word === null && tries < MOST_TRIES;
  }

  return {
    of: (chain) => entry(chain).word,
    isOpen,
    take: (chain) => {
      asked = asked.filter((at) => now() - at < HOUR);
      if (!isOpen(chain) || asked.length >= MOST_AN_HOUR) return false;
      entry(chain).tries += 1;
      asked = [...asked, now()];
      return true;
    },
    keep: (chain, word) => {
      entry(chain).word = word;
    },
  };
}
