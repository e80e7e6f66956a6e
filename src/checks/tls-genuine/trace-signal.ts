import { nameList } from '../../core/name-list.ts';
import type { ChainCase } from './chain-case.ts';
import type { Signal } from './signal.ts';

/**
 * Header fields that forward proxies and filters add to answers, and no server or content network does (mitmengine,
 * reference_fingerprints/mitmengine/badheader.txt). `via` and the caches of Squid are not among them: a server may
 * stand behind one.
 */
const FORWARD_PROXY = /^(?:proxy-connection|x-bluecoat-via|x-iwsaas-via|x-mwg-via|x-sophos-wsa-clientip|zsa-.*)$/u;

export function traceSignal({ evidence }: ChainCase): readonly Signal[] {
  const found = evidence.traces.filter((trace) => FORWARD_PROXY.test(trace));
  if (found.length === 0) return [];
  return [
    {
      rule: 'no-forward-proxy-headers',
      weight: 'witness',
      expected: 'No header that only a forward proxy adds',
      actual: `The answer carries ${nameList(found)}`,
      product: null,
    },
  ];
}
