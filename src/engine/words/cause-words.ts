import type { Culprit } from '../../core/license/firewall.ts';
import type { Severity } from '../../core/severity.ts';
import type { ImpactKind } from './impact.ts';
import type { Step } from './step.ts';

/**
 * Everything that is said about a cause, before it occurs. Texts may name `{placeholders}` (see wording.ts); the
 * runbooks print the same texts, so that mail, page and runbook never disagree.
 */
export interface CauseWords {
  /** Severity when the cause breaks its precondition; one that only weakens it is a `warning` at most. */
  readonly severity: Severity;
  /** A clause for the heading of the runbook: "TLS is intercepted". */
  readonly title: string;
  /** What is wrong in at most 32 characters and without a host, for the subject of a mail: it is never cut. */
  readonly short: string;
  /** The short form instead where it is a warning. */
  readonly warningShort?: string;
  /** The short form instead when the inspecting product is this one, by its name in config/inspection-products.yaml. */
  readonly productShort?: Readonly<Record<string, string>>;
  /** The short form instead when any other product is known; it names `{product}`. */
  readonly anyProductShort?: string;
  /** What is wrong in half a line, for lists, where it is not the title; it may name `{subject}`. */
  readonly headline?: string;
  /** The headline instead where the inspecting product is known; it may name `{product}`. */
  readonly productHeadline?: string;
  /** The headline instead where it is a warning. */
  readonly warningHeadline?: string;
  /** Set if a firewall policy can be the reason: what that policy does then, and the texts that name it. */
  readonly byFirewall?: {
    readonly action: Culprit['action'];
    /** Half a line and one sentence, each with `{culprit}`. */
    readonly headline: string;
    readonly summary: string;
  };
  /** One sentence. */
  readonly summary: string;
  readonly impact: ImpactKind;
  /**
   * Where the facts of the vendor in these words were seen: `ta-p/N` is https://community.fortinet.com/…/ta-p/N,
   * `docs:X` is https://docs.fortinet.com/document/X.
   */
  readonly sources?: readonly string[];
  /** Steps for an administrator, in order. */
  readonly remedy: readonly Step[];
  /** What is told instead where the kind of fault is known. */
  readonly kinds?: Readonly<Record<string, KindWords>>;
  /**
   * What is told instead while something on the path of this machine is not `ok` (`facts.unclear`): both views may show
   * one fault.
   */
  readonly unclearPath?: { readonly summary: string; readonly remedy: readonly Step[] };
  /**
   * What is told instead while the path of this machine is broken: what has to be done needs it, and it is critical
   * then.
   */
  readonly brokenPath?: { readonly summary: string; readonly remedy: readonly Step[] };
  /** The steps instead when the inspecting product is this one, by its name in config/inspection-products.yaml. */
  readonly productRemedy?: Readonly<Record<string, readonly Step[]>>;
  /** The steps instead when any other product is known. */
  readonly anyProductRemedy?: readonly Step[];
  /** The steps instead where the connection leads through a proxy (`facts.proxy`), which comes before any firewall. */
  readonly proxyRemedy?: readonly Step[];
  /** Of several causes of one fault the one with the lowest rank is told; those without a rank come last. */
  readonly rank?: number;
  /** The cause of the whole that this one is a part of: grown into it, it is the same fault. */
  readonly partOf?: string;
  /** What several say of several hosts is one fault: a resolver that fails for many names. */
  readonly oneFaultForAllHosts?: true;
}

/** One of several kinds of a cause. */
export interface KindWords {
  /** A clause for the heading in the runbook: "another server name passes". */
  readonly title: string;
  readonly summary: string;
  readonly remedy: readonly Step[];
  /** Of its own where it has one: otherwise that of the cause. */
  readonly unclearPath?: CauseWords['unclearPath'];
}
