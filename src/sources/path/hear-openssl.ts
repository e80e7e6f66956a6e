import type { Certificate } from '../../core/certificate.ts';
import type { PathObservation } from '../../core/round.ts';
import type { ProbeContext } from '../../network/context.ts';
import { askOpenssl, type HeardWord } from './ask-openssl.ts';
import type { PathTarget, PathTools } from '../target/observe-path.ts';

/** An address whose chain leads to a trusted certificate. */
export interface AnchoredAddress {
  readonly address: string;
  readonly anchor: Certificate;
}

export interface OpensslTools extends PathTools {
  /** Addresses of the path that showed a chain which OpenSSL has not been asked about. */
  readonly unheard: (path: PathObservation, controls: readonly PathObservation[]) => readonly AnchoredAddress[];
  readonly heard: (path: PathObservation, word: HeardWord) => void;
}

/** Lets OpenSSL judge chains that are new and lead to a trusted key: one connection for each. */
export async function hearOpenssl(
  { host, port, serverName, proxy }: PathTarget,
  { path, controls }: { readonly path: PathObservation; readonly controls: readonly PathObservation[] },
  tools: OpensslTools,
  ctx: ProbeContext,
): Promise<void> {
  if (ctx.signal.aborted) return;
  const words = tools.unheard(path, controls).map(({ address, anchor }) => {
    const request = { target: { host, port }, address, serverName, proxy };
    return tools.limiter.run(() => askOpenssl(request, anchor, ctx, tools.endpoint), ctx.signal).catch(() => null);
  });
  for (const word of await Promise.all(words)) if (word !== null) tools.heard(path, word);
}
