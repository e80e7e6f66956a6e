/** Texts that act in a chat or on GitHub unless they are escaped. */
export const ACTING_TEXTS: readonly string[] = [
  '<!channel> <!here> <@U012AB3CD> <!subteam^SAZ94GDB8>',
  '<https://evil.example|Log in>',
  '<https://evil.example>',
  '@everyone @here @channel @all',
  '<@80351110224678912> <@&165511591545143296> <#103735883630395392>',
  '[Log in](https://evil.example)',
  '![x](https://evil.example/x.png)',
  '[Log in][1]',
  'https://evil.example/login',
  'see www.evil.example, WWW.evil.example',
  '@octocat octo-org/octo-repo#26 GH-26 gh-26 #26',
  'user@evil.example',
  String.raw`\@everyone \[a](https://evil.example) \<https://evil.example> \\[a](https://evil.example)`,
  '&#64;everyone &lt;b&gt;',
  '*a* **b** _c_ __d__ ~e~ ~~f~~ ||g|| `h`',
  '# a',
  '-# a',
  '- a',
  '1. a',
  '> a',
  '<b>a</b> <img src=x onerror=alert(1)>',
];

interface Grammar {
  /** An escaped character. The group contains the character or its code point. */
  readonly escape: RegExp;
  /** Markup of text that is not escaped. */
  readonly markup: RegExp;
  /** What the service looks for in the displayed text, whether it was escaped or not. */
  readonly searched: RegExp;
}

const NOTHING = /(?!)/gu;
const PUNCTUATION = /\\([!-/:-@[-`{-~])/gu;

const GRAMMARS = {
  /** https://docs.slack.dev/messaging/formatting-message-text, without `mrkdwn`. */
  slack: {
    escape: NOTHING,
    markup: /<[^>]*>|&(?!(?:amp|lt|gt);)/gu,
    searched: /@(?:here|channel|everyone)|https?:\/\/\S+|\bwww\.\S/giu,
  },
  /**
   * The server's package `shared/markdown` and the clients' Markdown renderers. Any ASCII punctuation can be markup in
   * one of them. Mentions: https://docs.mattermost.com/end-user-guide/collaborate/mention-people.html
   */
  mattermost: {
    escape: /&#(\d+);/gu,
    markup: /[!-/:-@[-`{-~]/gu,
    searched: /@[\w.-]/gu,
  },
  /** https://docs.discord.com/developers/reference#message-formatting */
  discord: {
    escape: PUNCTUATION,
    markup: /<[@#:/at]|[*_`]|~~|\|\||\[[^\]]*\]\(|^(?:#{1,3} |-# |>|[-*] |\d+\. )/gmu,
    searched: /@(?:everyone|here|[!&]?\d)|https?:\/\/\S/gu,
  },
  /** https://github.github.com/gfm/, and https://docs.github.com/en/get-started/writing-on-github */
  github: {
    escape: PUNCTUATION,
    markup: /<[a-z!/]|[*_`]|~|\[[^\]]+\][([]|&#?\w+;|^(?:#{1,6} |[-+*] |>|\d+[.)] )/gimu,
    searched: /@[a-z\d]|(?:#|\bGH-)\d|(?:https?|ftp):\/\/\S|\bwww\.\S/giu,
  },
  /** https://learn.microsoft.com/en-us/adaptive-cards/authoring-cards/text-features */
  teams: {
    escape: PUNCTUATION,
    markup: /[*_]|\[[^\]]*\]\(|^(?:[-+*] |\d+\. )/gmu,
    searched: /https?:\/\/\S|\bwww\.\S/giu,
  },
} as const satisfies Readonly<Record<string, Grammar>>;

export type Medium = keyof typeof GRAMMARS;

export const MEDIA: readonly Medium[] = ['slack', 'mattermost', 'discord', 'github', 'teams'];

/** Returns the parts of a text that act in this medium. Links to the monitoring site do not count. */
export function actsIn(medium: Medium, text: string): readonly string[] {
  const { escape, markup, searched } = GRAMMARS[medium];
  const found = [
    ...(text.replaceAll(escape, 'x').match(markup) ?? []),
    ...(text.replaceAll(escape, (_, character: string) => shownCharacter(character)).match(searched) ?? []),
  ];
  return found.filter((part) => !part.startsWith('https://monitor.example.org/'));
}

function shownCharacter(character: string): string {
  return /^\d+$/u.test(character) ? String.fromCodePoint(Number(character)) : character;
}
