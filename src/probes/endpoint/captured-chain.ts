import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { CapturedChain, Certificate } from '../../core/certificate.ts';

const MAX_CERTIFICATES = 16;

/** One entry holds a chain, some 5 KiB (100 KiB is the most that OpenSSL takes); a leaf has one or two entries. */
const MAX_CHAINS = 64;

/**
 * Handshakes of one server differ by a few bytes (lengths of ECDSA signatures); no certificate is smaller than 200
 * bytes.
 */
const SIZE_STEP = 64;

/** How chains have been read since the start. */
export interface ChainReads {
  readonly cached: number;
  /** As sent, by the call that leaks. */
  readonly sent: number;
  /** As linked by issuer, after the budget was spent. */
  readonly linked: number;
}

/**
 * Reads the chain that a peer sent, without the memory that this costs in Node.
 *
 * `getPeerX509Certificate()` is the only call that shows the chain exactly as it was sent (order, strangers, missing
 * members), and on Node 20 to 24 it leaks each certificate above the leaf: 5 to 9 kB on Node 24, which ten addresses
 * probed every 30 seconds turn into 150 to 250 MB a day. `getPeerCertificate(true)` does not leak, but links by issuer,
 * so that strangers and order are lost, and costs 0.4 ms, a third of a probe. `getPeerCertificate(false)`, the leaf
 * alone, costs next to nothing. So:
 *
 * - the leaf is read each time, and the chain as sent only for a leaf and a length of handshake that were not seen
 *   before (with the same leaf, a certificate more or less changes the length; only another order of the same ones goes
 *   unseen);
 * - a proxy that makes a new leaf for every connection would still leak for weeks, so a budget of leaked certificates
 *   is kept for the life of the process (1,000 certificates: 5 to 9 MB). When it is spent, the chain is read as linked,
 *   which shows the same certificates for every chain without strangers in it.
 *
 * Over 20,000 probes memory then stays within 1 MB, with one leaf and with a new one each time; without the budget it
 * grows by 5.3 kB a probe (`bench/capture-leak.ts`).
 */
export interface ChainReader {
  /**
   * @param received bytes received since the start of the handshake
   * @returns null when the peer has sent no certificate; call it before the socket is destroyed
   */
  read(socket: TLSSocket, received: number): CapturedChain | null;
  readonly reads: ChainReads;
}

export interface ChainReaderOptions {
  /** As `parseCertificate`; a cached one is better. */
  readonly parse: (der: Uint8Array) => Certificate | null;
  /** Certificates that may leak. @default 1000 */
  readonly leakBudget?: number;
}

export function createChainReader(options: ChainReaderOptions): ChainReader {
  const chains = new Map<string, CapturedChain>();
  const reads = { cached: 0, sent: 0, linked: 0 };
  let budget = options.leakBudget ?? 1000;

  function readAnew(socket: TLSSocket): readonly Uint8Array[] {
    if (budget <= 0) {
      reads.linked += 1;
      return linkedChain(socket);
    }
    reads.sent += 1;
    const sent = sentChain(socket);
    budget -= Math.max(0, sent.length - 1);
    return sent;
  }

  return {
    reads,
    read(socket, received): CapturedChain | null {
      const leaf: Partial<DetailedPeerCertificate> | null = socket.getPeerCertificate(false);
      if (leaf?.raw === undefined || leaf.fingerprint256 === undefined) return null;
      const key = `${leaf.fingerprint256} ${String(Math.round(received / SIZE_STEP))}`;
      const known = chains.get(key);
      if (known !== undefined) reads.cached += 1;
      const chain = known ?? toCapturedChain(readAnew(socket), options.parse);
      // A map keeps the order of insertion: taken out and put back in, it is the youngest.
      chains.delete(key);
      chains.set(key, chain);
      const oldest = chains.keys().next();
      if (chains.size > MAX_CHAINS && oldest.done !== true) chains.delete(oldest.value);
      return chain;
    },
  };
}

function sentChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  for (let current = socket.getPeerX509Certificate(); current !== undefined; current = current.issuerCertificate)
    chain.push(current.raw);
  return chain;
}

function linkedChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  const seen = new Set<object>();
  let current: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  // A self-signed certificate is its own issuer here.
  while (current?.raw !== undefined && !seen.has(current)) {
    seen.add(current);
    chain.push(current.raw);
    current = current.issuerCertificate;
  }
  return chain;
}

function toCapturedChain(ders: readonly Uint8Array[], parse: ChainReaderOptions['parse']): CapturedChain {
  const certificates = ders
    .slice(0, MAX_CERTIFICATES)
    .map((der) => parse(der))
    .filter((certificate) => certificate !== null);
  return { certificates, dropped: ders.length - certificates.length };
}
