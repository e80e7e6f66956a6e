import type { Clock } from '../../core/clock.ts';
import type { TlsJudgement, Verdict } from '../../checks/tls-genuine/tls-evidence.ts';
import type { PathObservation } from '../../core/round.ts';
import type { AnchoredAddress, OpensslTools } from '../../sources/path/hear-openssl.ts';
import { isOlderInspected } from '../../checks/tls-genuine/judge-older-tls.ts';
import { controlChainsOf, judgeTlsPath, type JudgedTlsPath } from '../../checks/tls-genuine/judge-tls-path.ts';
import type { OlderTlsTools } from '../../sources/path/older-tls.ts';
import type { ReferenceTools } from '../../sources/path/observe-references.ts';
import type { TlsKnowledgeBase } from './tls-knowledge.ts';

const NEEDS_NO_REFERENCE: readonly Verdict[] = ['genuine', 'rotated'];

/** What further connections a round makes, after what the first ones showed. */
export function createSecondLooks(
  knowledge: TlsKnowledgeBase,
  { now }: Pick<Clock, 'now'>,
): Pick<ReferenceTools, 'needsReference'> &
  Pick<OpensslTools, 'unheard' | 'heard'> &
  Pick<OlderTlsTools, 'isOlderDisputed'> {
  function judge(path: PathObservation, controls: readonly PathObservation[]): JudgedTlsPath {
    return judgeTlsPath(path, knowledge.of(path.subject), { controls: controlChainsOf(controls), now: now() });
  }

  return {
    needsReference: (path, controls) => judge(path, controls).endpoints.some(({ judgement }) => isDoubtful(judgement)),
    unheard: (path, controls) => {
      const { openssl } = knowledge.of(path.subject);
      if (!path.endpoints.some(({ tls }) => tls?.chain && openssl.isOpen(tls.chain))) return [];
      return judge(path, controls).endpoints.flatMap(
        ({ endpoint: { address }, outcome: { chain }, judgement: { accepted } }): readonly AnchoredAddress[] =>
          chain !== null && accepted !== null && openssl.take(chain) ? [{ address, anchor: accepted.end }] : [],
      );
    },
    isOlderDisputed: (path, older) => {
      const seen = { ...path, references: [older] };
      const surroundings = { controls: [], now: now() };
      const known = knowledge.of(path.subject);
      return isOlderInspected(seen, judgeTlsPath(seen, known, surroundings), known, surroundings);
    },
    heard: ({ subject }, { chain, word }) => knowledge.of(subject).openssl.keep(chain, word),
  };
}

/** A chain with a flaw leads to a trusted key: another server name would tell nothing about it. */
function isDoubtful({ verdict, accepted }: TlsJudgement): boolean {
  return !NEEDS_NO_REFERENCE.includes(verdict) && (accepted?.flaws ?? []).length === 0;
}
