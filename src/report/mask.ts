/** What is taken out of log lines and of what peers answered: a closed set, and what people call it. */
export const MASKED_KINDS = [
  ['user-name', 'user names'],
  ['mail-address', 'mail addresses (their domain stays)'],
  ['phone-number', 'phone numbers'],
  ['code', 'activation codes and one-time passwords'],
  ['password', 'passwords, keys and tokens'],
] as const;

type MaskedKind = (typeof MASKED_KINDS)[number][0];

/** Counts what was taken out. */
export type MaskTally = Readonly<Record<MaskedKind, number>>;

/** Takes out of texts what tells who a person is and what lets one in, and counts it. */
export interface Mask {
  /** One line of a log, or what a peer answered: hostile text. Serial numbers, addresses and host names stay. */
  line(text: string): string;
  mailAddresses(text: string): string;
  tally(): MaskTally;
}

interface Rule {
  readonly kind: MaskedKind;
  readonly pattern: RegExp;
  /** What stands in its place; `$1` is kept. */
  readonly by: string;
}

const MAIL: Rule = {
  kind: 'mail-address',
  pattern: /[\w.!#$%&*+?^~-]{1,64}@(?=[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63})+)/giu,
  by: '<user>@',
};

/** A field's value: in quotes of either sort, or up to the next space. */
const VALUE = `(?:"[^"]+"|'[^']+'|[^\\s"',;&)\\]]+)`;
const USER_KEYS =
  'user|username|user_name|usr|srcuser|dstuser|unauthuser|xauthuser|login|account|admin|administrator|owner|uid';

/** In order: what a rule has masked is no more there for the next. */
const RULES: readonly Rule[] = [
  // Before user names: "user:password@" in front of a host is both.
  { kind: 'password', pattern: /(\b[a-z][a-z\d+.-]{1,20}:\/\/)[^\s/@"']+@/giu, by: '$1<secret>@' },
  {
    kind: 'password',
    pattern: new RegExp(
      `(\\b(?:password|passwd|passphrase|pwd|psk|secret|community|apikey|api_key|access_key|access_token|bearer)["']?\\s?[=:]\\s?)${VALUE}`,
      'giu',
    ),
    by: '$1<secret>',
  },
  // A token's serial number is wanted, a token for an interface is not.
  { kind: 'password', pattern: new RegExp(`(\\b(?:token|key)=)(?!["']?FTK)${VALUE}`, 'giu'), by: '$1<secret>' },
  { kind: 'password', pattern: /(\b(?:basic|bearer)\s)[\w+/.~-]{12,}=*/giu, by: '$1<secret>' },
  { kind: 'code', pattern: /\b[\dA-F]{4}(?:-[\dA-F]{4}){4}\b/giu, by: '<code>' },
  { kind: 'code', pattern: /<code>/gu, by: '<code>' },
  {
    kind: 'code',
    pattern:
      /(\b(?:[Aa]ctivation|[Oo]ne-time|[Vv]erification|[Tt]oken|[Pp]ass) ?(?:[Cc]ode|[Pp]assword)\b["']?(?: is)?\s?[=:]?\s?["'[(]?)(?:(?=[A-Za-z\d-]*\d)[A-Za-z\d-]{4,32}|[A-Z\d]{12,32})\b/gu,
    by: '$1<code>',
  },
  {
    kind: 'code',
    pattern: new RegExp(`(\\b(?:code|otp|tokencode|passcode|activation_code)=)${VALUE}`, 'giu'),
    by: '$1<code>',
  },
  MAIL,
  {
    kind: 'phone-number',
    pattern: new RegExp(
      `(\\b(?:phone|mobile|msisdn|cell|sms_?to|mobile_?number|phone_?number)\\s?[=:]\\s?)${VALUE}`,
      'giu',
    ),
    by: '$1<phone>',
  },
  // International, with a trunk prefix, North American, and a bare row of digits that is no part of a field, an address
  // or a time.
  { kind: 'phone-number', pattern: /(?<![\w.:+-])(?:\+|00)[1-9][\d ()/-]{5,16}\d(?!\w)/gu, by: '<phone>' },
  {
    kind: 'phone-number',
    pattern: /(?<![\w.:=+/-])0[1-9]\d{1,3}[ /-]?\d{3,4}[ -]?\d{3,6}(?![\w.:-])/gu,
    by: '<phone>',
  },
  {
    kind: 'phone-number',
    pattern: /(?<![\w.:=+/-])(?:\(\d{3}\) ?|\d{3}[ -])\d{3}[ -]\d{4}(?![\w.:-])/gu,
    by: '<phone>',
  },
  { kind: 'phone-number', pattern: /(?<![\w.:=+/-])\d{10,15}(?![\w.:-])/gu, by: '<phone>' },
  // A directory's name of a person ends in its domain; a certificate's name does not.
  { kind: 'user-name', pattern: /(\b(?:cn|uid)=)[^,"=]+(?=,[^"]*\bdc=)/giu, by: '$1<user>' },
  { kind: 'user-name', pattern: new RegExp(`(\\b(?:${USER_KEYS})=)${VALUE}`, 'giu'), by: '$1<user>' },
  { kind: 'user-name', pattern: new RegExp(`(\\b(?:${USER_KEYS}): ?)${VALUE}`, 'giu'), by: '$1<user>' },
  {
    kind: 'user-name',
    pattern: new RegExp(`(\\b(?:${USER_KEYS}) )(?:"[^"]+"|'[^']+'|\\[[^\\]]+\\])`, 'giu'),
    by: '$1<user>',
  },
  {
    kind: 'user-name',
    pattern: /\[[^\]\s]{1,64}\](?= (?:has|was|is|successfully|failed|logged)\b)/giu,
    by: '[<user>]',
  },
];

/** Names in fields, by which the same name is found in the text beside them. */
const NAMED = new RegExp(`\\b(?:${USER_KEYS})[=:] ?("[^"]+"|'[^']+'|[^\\s"',;&)\\]]+)`, 'giu');
/** Shorter names are words as well. */
const SHORTEST_NAME = 3;
const LONGEST_LINE = 4_000;

/** What is known of a site beside what texts look like. */
export interface KnownNames {
  /**
   * Accounts of the configuration: peers quote them without any mark. One that is a plain word is masked only where it
   * stands in quotes or brackets.
   */
  readonly accounts: readonly string[];
  /** Is done first: half a secret would not be found again. */
  readonly withoutSecrets: (text: string) => string;
}

const NOTHING_KNOWN: KnownNames = { accounts: [], withoutSecrets: (text) => text };
const PLAIN_WORD = /^\p{L}{1,15}$/u;

export function createMask({ accounts, withoutSecrets }: KnownNames = NOTHING_KNOWN): Mask {
  const accountRules = accounts
    .filter((name) => name.length >= SHORTEST_NAME)
    .map(
      (name): Rule => ({
        kind: 'user-name',
        pattern: PLAIN_WORD.test(name) ? quotedWord(name) : wholeWord(name),
        by: '<user>',
      }),
    );
  const tally = { 'user-name': 0, 'mail-address': 0, 'phone-number': 0, code: 0, password: 0 };

  function apply({ kind, pattern, by }: Rule, text: string): string {
    return text.replace(pattern, (_, first: unknown) => {
      tally[kind] += 1;
      return by.replace('$1', () => (typeof first === 'string' ? first : ''));
    });
  }

  return {
    line: (text) => {
      const cut = withoutSecrets(text).slice(0, LONGEST_LINE);
      const names = namesIn(cut);
      const masked = [...RULES, ...accountRules].reduce((rest, rule) => apply(rule, rest), cut);
      return names.reduce(
        (rest, name) => apply({ kind: 'user-name', pattern: wholeWord(name), by: '<user>' }, rest),
        masked,
      );
    },
    mailAddresses: (text) => apply(MAIL, text),
    tally: () => ({ ...tally }),
  };
}

function namesIn(line: string): readonly string[] {
  const names = [...line.matchAll(NAMED)].map(([, value = '']) => value.replaceAll(/^["']|["']$/gu, ''));
  return [...new Set(names)].filter((name) => name.length >= SHORTEST_NAME && name !== '<user>');
}

function wholeWord(name: string): RegExp {
  return new RegExp(`(?<![\\w<-])${literal(name)}(?![\\w>-])`, 'gu');
}

function quotedWord(name: string): RegExp {
  return new RegExp(`(?<=["'<(\\[])${literal(name)}(?=["'>)\\]])`, 'gu');
}

function literal(text: string): string {
  return Array.from(text, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`).join('');
}
