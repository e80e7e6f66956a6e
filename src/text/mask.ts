/** The kind, display name and placeholder of data that is removed from log lines and from peers' responses. */
export const MASKED_KINDS = [
  ['user-name', 'user names', /<user>(?!@)/gu],
  ['mail-address', 'email addresses (the domains are kept)', /<user>@/gu],
  ['phone-number', 'phone numbers', /<phone>/gu],
  ['code', 'activation codes, seeds and one-time passwords', /<code>/gu],
  ['password', 'passwords, keys and tokens', /<secret>/gu],
] as const;

type MaskedKind = (typeof MASKED_KINDS)[number][0];

export type MaskTally = Readonly<Record<MaskedKind, number>>;

export interface Mask {
  /** Masks untrusted text. Serial numbers, addresses and host names are kept. */
  line(text: string): string;
  mailAddresses(text: string): string;
  tally(): MaskTally;
}

interface Rule {
  readonly pattern: RegExp;
  /** `$1` inserts the first group of the pattern. */
  readonly by: string;
}

const MAIL: Rule = {
  pattern: /[\w.!#$%&*+?^~-]{1,64}@(?=[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63})+)/giu,
  by: '<user>@',
};

/** A value in quotation marks, or one that extends to the next space or delimiter. */
const VALUE = `(?:"[^"]+"|'[^']+'|[^\\s"',;&)\\]]+)`;
/**
 * Serial and licence numbers are evidence, so the rule for activation codes, which have the same length, must not mask
 * them. Other Fortinet serial numbers are recognized by their digits.
 */
const SERIAL = 'FAC|FG|FW|FTK|EFTM|FTMTRIAL|F[A-Z\\d]{2,9}\\d{6}\\b';
const USER_KEYS =
  'user|username|user_name|usr|srcuser|dstuser|unauthuser|xauthuser|login|account|admin|administrator|owner|uid';

/** Before digits: excludes the numbers that products give to their messages, sessions and policies. */
const NO_ID = `(?<!\\b(?:(?:log|type|event|msg|session|policy|request|o)_?id|eventtime)["']?[=:]\\s?["']?)`;

/** Exchange Online ends its replies with the server, the time and the number of the session. */
const NO_SESSION = '(?<!\\.(?:outlook\\.com|OUTLOOK\\.COM) \\d{4}-\\d\\d-\\d\\dT[\\d:.]{8,12}Z )';

/** Codes without a label, in formats that serial numbers do not have. */
const CODES: readonly Rule[] = [
  { pattern: /\b[\dA-F]{4}(?:-[\dA-F]{4}){4}\b/giu, by: '<code>' },
  // An activation code is 16 characters long and may be written in groups of four.
  {
    pattern: /\b(?=[\dA-Z-]{0,18}\d)(?=[\d-]{0,18}[A-Z][\d-]{0,18}[A-Z])[\dA-Z]{4}(?:-[\dA-Z]{4}){3}\b/gu,
    by: '<code>',
  },
  {
    pattern: new RegExp(`${NO_SESSION}\\b(?!${SERIAL})(?=[A-Z]*\\d)(?=\\d*[A-Z]\\d*[A-Z])[\\dA-Z]{16}\\b`, 'gu'),
    by: '<code>',
  },
  // A seed is 20 or 32 bytes in hexadecimal, or 20 bytes in Base32 (RFC 4648 §6). Certificate hashes are excluded.
  {
    pattern: /(?<!(?:hash|fingerprint|thumbprint|sha1|sha256)["']?[=:] ?["']?)\b(?:[\dA-F]{40}|[\dA-F]{64})\b/giu,
    by: '<code>',
  },
  { pattern: /\b(?=[A-Z]*[2-7])[A-Z2-7]{32}\b/gu, by: '<code>' },
];

/** Applied in this order. A rule does not match text that an earlier rule has masked. */
const RULES: readonly Rule[] = [
  // This rule precedes the rule for user names, because "user:password@" before a host matches both.
  { pattern: /(\b[a-z][a-z\d+.-]{1,20}:\/\/)[^\s/@"']+@/giu, by: '$1<secret>@' },
  {
    pattern: new RegExp(
      `(\\b(?:password|passwd|passphrase|pwd|psk|secret|community|apikey|api_key|access_key|access_token|bearer)["']?\\s?[=:]\\s?)${VALUE}`,
      'giu',
    ),
    by: '$1<secret>',
  },
  // Serial numbers of FortiTokens are kept.
  { pattern: new RegExp(`(\\b(?:token|key)=)(?!["']?FTK)${VALUE}`, 'giu'), by: '$1<secret>' },
  // Ordinary words are kept, as in "Basic authentication is not supported".
  {
    pattern:
      /(\b(?:basic|bearer)\s)(?!(?:authentication|authorization|auth|login)\.*(?![\w+/.~=-]))[\w+/.~-]{12,}=*/giu,
    by: '$1<secret>',
  },
  ...CODES,
  {
    pattern:
      /(\b(?:[Aa]ctivation|[Oo]ne-time|[Vv]erification|[Tt]oken|[Pp]ass) ?(?:[Cc]ode|[Pp]assword)\b["']?(?: is)?\s?[=:]?\s?["'[(]?)(?:(?=[A-Za-z\d-]*\d)[A-Za-z\d-]{4,32}|[A-Z\d]{12,32})\b/gu,
    by: '$1<code>',
  },
  {
    pattern: new RegExp(`(\\b(?:code|otp|tokencode|passcode|activation_code)=)${VALUE}`, 'giu'),
    by: '$1<code>',
  },
  MAIL,
  {
    pattern: new RegExp(
      `(\\b(?:phone|mobile|msisdn|cell|sms_?to|mobile_?number|phone_?number)\\s?[=:]\\s?)${VALUE}`,
      'giu',
    ),
    by: '$1<phone>',
  },
  // Phone numbers: international, with a trunk prefix, North American, and plain digits that are not part of a field,
  // an address or a time.
  { pattern: new RegExp(`(?<![\\w.:+-])${NO_ID}(?:\\+|00)[1-9][\\d ()/-]{5,16}\\d(?!\\w)`, 'gu'), by: '<phone>' },
  {
    pattern: new RegExp(`(?<![\\w.:=+/-])${NO_ID}0[1-9]\\d{1,3}[ /-]?\\d{3,4}[ -]?\\d{3,6}(?![\\w.:-])`, 'gu'),
    by: '<phone>',
  },
  {
    pattern: /(?<![\w.:=+/-])(?:\(\d{3}\) ?|\d{3}[ -])\d{3}[ -]\d{4}(?![\w.:-])/gu,
    by: '<phone>',
  },
  { pattern: new RegExp(`(?<![\\w.:=+/-])${NO_ID}\\d{10,15}(?![\\w.:-])`, 'gu'), by: '<phone>' },
  // A person in a directory (LDAP). Unlike a certificate's name, a directory name contains domain components.
  { pattern: /(\b(?:cn|uid)=)[^,"=]+(?=,[^"]*\bdc=)/giu, by: '$1<user>' },
  { pattern: new RegExp(`(\\b(?:${USER_KEYS})=)${VALUE}`, 'giu'), by: '$1<user>' },
  { pattern: new RegExp(`(\\b(?:${USER_KEYS}): ?)${VALUE}`, 'giu'), by: '$1<user>' },
  {
    pattern: new RegExp(`(\\b(?:${USER_KEYS}) )(?:"[^"]+"|'[^']+'|\\[[^\\]]+\\])`, 'giu'),
    by: '$1<user>',
  },
  {
    pattern: /\[[^\]\s]{1,64}\](?= (?:has|was|is|successfully|failed|logged)\b)/giu,
    by: '[<user>]',
  },
];

/** User names in fields. The same names are then masked in the rest of the text. */
const NAMED = new RegExp(`\\b(?:${USER_KEYS})[=:] ?("[^"]+"|'[^']+'|[^\\s"',;&)\\]]+)`, 'giu');
/** Shorter names often match ordinary words. */
const SHORTEST_NAME = 3;
/** These limits bound the time that a hostile line takes. Genuine lines contain one or two short names. */
const MOST_NAMES = 8;
const LONGEST_NAME = 64;
const MOST_DROPPED = 16;
const LONGEST_LINE = 4_000;

/** Masked in addition to the text that the rules match. */
interface KnownNames {
  /**
   * Peers' responses can contain account names without a label. If an account name is an ordinary word, it is masked
   * only in quotation marks or brackets.
   */
  readonly accounts: readonly string[];
  /** Applied before the rules, because a secret can no longer be found once part of it has been masked. */
  readonly withoutSecrets: (text: string) => string;
}

const PLAIN_WORD = /^\p{L}{1,15}$/u;

export function createMask({ accounts, withoutSecrets }: KnownNames): Mask {
  const accountRules = accounts
    .filter((name) => name.length >= SHORTEST_NAME)
    .map((name): Rule => ({ pattern: PLAIN_WORD.test(name) ? quotedWord(name) : wholeWord(name), by: '<user>' }));
  const tally = { 'user-name': 0, 'mail-address': 0, 'phone-number': 0, code: 0, password: 0 };

  function counted(masked: string): string {
    for (const [kind, , place] of MASKED_KINDS) tally[kind] += masked.match(place)?.length ?? 0;
    return masked;
  }

  return {
    line: (text) => counted(maskedLine(withoutSecrets(text), accountRules)),
    mailAddresses: (text) => counted(replaced(text, [MAIL])),
    tally: () => ({ ...tally }),
  };
}

/** Like `Mask.line`, but without known names and secrets. */
export function maskedLine(line: string, known: readonly Rule[] = []): string {
  const cut = line.slice(0, LONGEST_LINE);
  const names = namesIn(cut);
  const replacedNames = names.filter(({ length }) => length <= LONGEST_NAME).slice(0, MOST_NAMES);
  const masked = replaced(cut, [...RULES, ...known, ...(replacedNames.length === 0 ? [] : [anyWord(replacedNames)])]);
  return withoutRest(
    masked,
    names.filter((name) => !replacedNames.includes(name)),
  );
}

/** Drops the text from the first of these names, or the whole text if finding them would take too long. */
function withoutRest(text: string, names: readonly string[]): string {
  if (names.length > MOST_DROPPED) return '…';
  const ends = names.map((name) => text.indexOf(name)).filter((at) => at >= 0);
  return ends.length === 0 ? text : `${text.slice(0, Math.min(...ends))}…`;
}

/** Names of people and hosts are kept, because they are evidence. */
export function withoutCodes(text: string): string {
  return replaced(text, CODES);
}

function replaced(text: string, rules: readonly Rule[]): string {
  return rules.reduce((rest, { pattern, by }) => rest.replace(pattern, by), text);
}

function namesIn(line: string): readonly string[] {
  const names = [...line.matchAll(NAMED)].map(([, value = '']) => value.replaceAll(/^["']|["']$/gu, ''));
  return [...new Set(names)].filter((name) => name.length >= SHORTEST_NAME && name !== '<user>');
}

function wholeWord(name: string): RegExp {
  return anyWord([name]).pattern;
}

/** The longest of several words that begin at the same position is replaced. */
function anyWord(names: readonly string[]): Rule {
  const longestFirst = names.toSorted((a, b) => b.length - a.length).map(literal);
  return { pattern: new RegExp(`(?<![\\w<-])(?:${longestFirst.join('|')})(?![\\w>-])`, 'gu'), by: '<user>' };
}

function quotedWord(name: string): RegExp {
  return new RegExp(`(?<=["'<(\\[])${literal(name)}(?=["'>)\\]])`, 'gu');
}

function literal(text: string): string {
  return Array.from(text, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`).join('');
}

/** The path can be secret. For example, anyone who knows a webhook's URL can send requests to it. */
export function withoutPath(text: string): string {
  const url = URL.parse(text);
  if (url === null) return '…';
  return url.pathname === '/' && url.search === '' ? url.origin : `${url.origin}/…`;
}
