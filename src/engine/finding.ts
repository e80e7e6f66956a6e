import type { EpochMs } from '../core/clock.ts';
import type { Culprit } from '../core/license/firewall.ts';
import type { Confidence } from './cause.ts';
import type { Witness } from './witness.ts';
import type { Step } from './words/step.ts';

/**
 * One expectation that was judged against what was seen. Everything that a person is told (terminal, page, mail, log)
 * prints these same findings.
 */
export interface Finding<C extends string = string> {
  /** Name of the expectation, kebab-case, constant: `chain-verifies-under-pin`. */
  readonly rule: string;
  /** What was looked at: `fortitokenmobile.fortinet.com:443`, a resolver, a mail server. */
  readonly subject: string;
  /**
   * What was found, in one plain sentence for people who see the subject beside it: certificates by their common names,
   * and no words of others.
   */
  readonly claim: string;
  readonly expected: string;
  readonly actual: string;
  /** The words of a log or of a peer that the claim rests on. */
  readonly quote?: string;
  /** When it was seen last, where that was before this round. */
  readonly at?: EpochMs;
  /** Who tells it; without, the look of this round. */
  readonly witness?: Witness;
  /** The full names of what the claim calls by its common name. */
  readonly fullNames?: readonly string[];
  /**
   * What it does to its precondition by itself. `note` is worth reading but no fault; `unknown`: could not be judged.
   */
  readonly level: FindingLevel;
  /** The cause that explains it when nothing deeper does; null for notes and unknowns. */
  readonly suggests: C | null;
  /** `suspected`: other explanations of what was seen are left. Without, `confirmed`. */
  readonly confidence?: Confidence;
  /** Which of several kinds of its cause it is, where that is known: it chooses summary and remedy. */
  readonly kind?: string;
  /** The preconditions whose fault can cause it, where not all of those can that explain its own. */
  readonly explainedBy?: readonly string[];
  /** Names of the appliances that suffer from it, where not all do. */
  readonly concerns?: readonly string[];
  readonly facts?: FindingFacts;
  /** The firewall policy that does it, as the firewall itself reports. */
  readonly culprit?: Culprit;
  /** What is known better than the catalogue of causes can say it, as of a text that the log signatures explain. */
  readonly advice?: Advice;
}

/** A finding before it is said what it does to its precondition. */
export type FindingContent<C extends string = string> = Omit<Finding<C>, 'level' | 'suggests'>;

/** What is told about one expectation, without where. */
export type Told = Pick<Finding, 'rule' | 'claim' | 'expected' | 'actual' | 'quote' | 'at' | 'witness' | 'fullNames'>;

/** Worth reading, and no fault. */
export function note(told: FindingContent): Finding<never> {
  return { ...told, level: 'note', suggests: null };
}

/** Could not be judged. */
export function unknown(told: FindingContent): Finding<never> {
  return { ...told, level: 'unknown', suggests: null };
}

/** It breaks or weakens its precondition. */
export function isFault({ level }: Pick<Finding, 'level'>): boolean {
  return level === 'broken' || level === 'warning';
}

type TextFacts = Omit<FindingFacts, 'security'>;

/** Those of the facts that are known. */
export function known(facts: { readonly [K in keyof TextFacts]: TextFacts[K] | null | undefined }): TextFacts {
  const entries = Object.entries(facts);
  return Object.fromEntries(entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
}

/** Takes the place of what the catalogue says about a cause. */
export interface Advice {
  readonly summary: string;
  readonly remedy: readonly Step[];
}

export type FindingLevel = 'broken' | 'warning' | 'note' | 'unknown';

/** What the texts of a cause (summary, remedy) may be filled in with; what is not known keeps a general wording. */
export interface FindingFacts {
  /** Of the service that it is about; without, it is about the licence server. */
  readonly host?: string;
  readonly port?: string;
  readonly address?: string;
  /** Other addresses of the same target, at which everything works. */
  readonly clean?: string;
  /** CONNECT proxy that the way leads through, `host:port`. */
  readonly proxy?: string;
  readonly resolver?: string;
  readonly product?: string;
  /** Who issued the certificate, in a word: what an inspecting device that the catalogue does not know calls itself. */
  readonly issuer?: string;
  readonly appliance?: string;
  /** What an interface fails at, behind its name: `does not answer`. */
  readonly failing?: string;
  /** Serial number of the appliance. */
  readonly serial?: string;
  /** Serial number of the unit that a licence belongs on: of the member of a cluster that is in charge. */
  readonly primary?: string;
  /** Serial number of the unit that holds the licence. */
  readonly holder?: string;
  readonly license?: string;
  /** How long something took, and how long it may take: `90 min`. */
  readonly waited?: string;
  readonly life?: string;
  /** Until when something has to be done. */
  readonly date?: string;
  /** What the configuration says, where something else was found. */
  readonly configured?: string;
  readonly found?: string;
  /** Which one was asked for the policy: `FortiGate 10.0.0.1`. */
  readonly firewall?: string;
  readonly policy?: string;
  readonly profile?: string;
  /** Virtual domain of that firewall. */
  readonly vdom?: string;
  /** Interfaces of that policy, `port2, dmz`; empty: it did not name them readably. */
  readonly incoming?: string;
  readonly outgoing?: string;
  /** Whether that policy translates source addresses: `enable`, `disable`, or `enable` and its pools, `enable, pool-1`. */
  readonly nat?: string;
  /** Schedule of that policy. */
  readonly schedule?: string;
  /** Source address that the firewall sees. */
  readonly source?: string;
  /** What a log line means, one sentence without a full stop, and what it reports in at most 27 characters. */
  readonly meaning?: string;
  readonly said?: string;
  /** How a mail server is spoken to. */
  readonly security?: 'starttls' | 'tls' | 'none';
  /** What on the path of this machine is not `ok`: `Genuine TLS is unknown`. */
  readonly unclear?: string;
  /** What the judgement of a certificate says, without a full stop. */
  readonly judgement?: string;
}
